// Pure. What the original says of a document that is not a JSON object.
import { type ErrorBody, SearchError } from '../errors.ts'

const stream =
  'org.elasticsearch.common.bytes.BytesReference$MarkSupportingStreamInputWrapper@0000000'

export function brokenDocument(source: string): SearchError {
  const trimmed = source.trim()
  if (trimmed === '') {
    return new SearchError(400, 'parse_exception', 'request body is required')
  }
  return new SearchError(400, 'mapper_parsing_exception', 'failed to parse', {
    causedBy: causeOf(trimmed, source.length),
  })
}

function causeOf(trimmed: string, length: number): ErrorBody {
  if (!trimmed.startsWith('{')) {
    return {
      type: 'not_x_content_exception',
      reason:
        'Compressor detection can only be called on some xcontent bytes or compressed xcontent bytes',
    }
  }
  const at = `\n at [Source: ${stream}; line: 1, column: ${2 * length + 1}]`
  if (isCutOff(trimmed)) {
    return {
      type: 'json_e_o_f_exception',
      reason: `Unexpected end-of-input within/between Object entries${at}`,
    }
  }
  return { type: 'json_parse_exception', reason: `Unexpected character${at}` }
}

/** Whether brackets are left open at the end. */
function isCutOff(text: string): boolean {
  let depth = 0
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at)
    if (quoted) {
      if (character === '\\') at++
      else if (character === '"') quoted = false
    } else if (character === '"') quoted = true
    else if (character === '{' || character === '[') depth++
    else if (character === '}' || character === ']') depth--
  }
  return quoted || depth > 0
}
