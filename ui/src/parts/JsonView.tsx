import { type ReactNode, useMemo } from 'react'
import { jsonTokens } from './json.ts'
import styles from './parts.module.css'

/** Beyond this, colours cost more than they help. */
const colouredLengthMax = 200_000

export function JsonView(props: { readonly text: string }): ReactNode {
  const tokens = useMemo(
    () => (props.text.length > colouredLengthMax ? undefined : jsonTokens(props.text)),
    [props.text],
  )
  if (tokens === undefined) return <pre className={styles.code}>{props.text}</pre>
  return (
    <pre className={styles.code}>
      {tokens.map((token, position) =>
        token.kind === 'other' ? (
          token.text
        ) : (
          // Tokens have no identity but their place in the text.
          <span key={position} className={styles[token.kind]}>
            {token.text}
          </span>
        ),
      )}
    </pre>
  )
}
