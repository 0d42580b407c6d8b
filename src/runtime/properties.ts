// Pure.
import { getProperties } from 'properties-file'

/** The keys and values of a .properties file, as java.util.Properties reads it; the last of equal keys wins. */
export function parseProperties(text: string): Record<string, string> {
  return getProperties(text)
}
