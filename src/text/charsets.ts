// Pure. Bytes to text by the names of charsets that the original's codecs take.

export interface CharsetDecoder {
  /** Decodes a whole text; bytes that do not fit become U+FFFD. */
  decode(bytes: Buffer): string
}

const utf8: CharsetDecoder = { decode: (bytes) => bytes.toString('utf8') }

/** Undefined for a charset that is not known. Names as in Ruby: `UTF-8`, `ISO-8859-1`, `Shift_JIS`, `BINARY`. */
export function charsetDecoder(name: string): CharsetDecoder | undefined {
  const label = name.toLowerCase()
  if (label === 'utf-8' || label === 'us-ascii' || label === 'ascii') return utf8
  // WHATWG reads this label as windows-1252.
  if (label === 'iso-8859-1' || label === 'binary' || label === 'ascii-8bit') {
    return { decode: (bytes) => bytes.toString('latin1') }
  }
  try {
    const decoder = new TextDecoder(label)
    return { decode: (bytes) => decoder.decode(bytes) }
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}
