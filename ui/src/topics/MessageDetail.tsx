import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { type ReactNode, useMemo, useState } from 'react'
import { api } from '../api/calls.ts'
import type { DecodedBytes, Message } from '../api/types.ts'
import { CopyButton } from '../parts/CopyButton.tsx'
import { formatBytes } from '../parts/format.ts'
import { hexDump } from '../parts/hex.ts'
import { JsonView } from '../parts/JsonView.tsx'
import { parseExact, prettyValue } from '../parts/json.ts'
import styles from './Topics.module.css'

const wholeBytesMax = 1024 * 1024

export function MessageDetail(props: {
  readonly topic: string
  readonly message: Message
}): ReactNode {
  const { topic, message } = props
  const [wantWhole, setWantWhole] = useState(false)
  const whole = useQuery({
    queryKey: ['message', topic, message.partition, message.offset],
    queryFn: ({ signal }) => {
      const { partition, offset } = message
      const query = { from: 'offset', partition, offset, limit: 1, valueBytes: wholeBytesMax }
      return api.messages(topic, query, signal)
    },
    enabled: wantWhole,
    staleTime: Number.POSITIVE_INFINITY,
  })
  const found = whole.data?.messages.find(({ offset }) => offset === message.offset)
  const shown = found ?? message
  return (
    <div className={styles.detail}>
      <Part name="Value" bytes={shown.value}>
        {shown.value.truncated && found === undefined ? (
          <Button
            size="compact-xs"
            variant="default"
            loading={whole.isFetching}
            onClick={() => setWantWhole(true)}
          >
            Show more
          </Button>
        ) : null}
        {whole.error === null ? null : <span className={styles.bad}>{whole.error.message}</span>}
      </Part>
      <Part name="Key" bytes={shown.key} />
      {shown.headers.length === 0 ? null : (
        <section className={styles.part}>
          <h3 className={styles.partHead}>Headers</h3>
          <table className={styles.headers}>
            <tbody>
              {shown.headers.map(({ key, value }, position) => (
                // Header names may repeat; their order never changes.
                <tr key={position}>
                  <th scope="row">{key}</th>
                  <td>{value.kind === 'null' ? <i>null</i> : value.text}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </div>
  )
}

function Part(props: {
  readonly name: string
  readonly bytes: DecodedBytes
  readonly children?: ReactNode
}): ReactNode {
  const { bytes } = props
  const text = useMemo(() => readable(bytes), [bytes])
  const kinds = { null: '', json: 'JSON', text: 'text', binary: 'binary' }
  return (
    <section className={styles.part}>
      <h3 className={styles.partHead}>
        {props.name}
        <span className={styles.partKind}>
          {bytes.kind === 'null' ? 'null' : `${kinds[bytes.kind]}, ${formatBytes(bytes.sizeBytes)}`}
          {bytes.truncated ? ', only the beginning is shown' : ''}
        </span>
        {bytes.kind === 'null' ? null : <CopyButton text={text} label="Copy" />}
        {props.children}
      </h3>
      {bytes.kind === 'null' ? null : bytes.kind === 'json' ? (
        <JsonView text={text} />
      ) : (
        <pre className={styles.plain}>{text}</pre>
      )}
    </section>
  )
}

function readable(bytes: DecodedBytes): string {
  if (bytes.kind === 'binary') return hexDump(bytes.text)
  return bytes.kind === 'json' ? prettyValue(parseExact(bytes.text)) : bytes.text
}
