import { Popover, Text, TextInput, UnstyledButton } from '@mantine/core'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { Icon } from '../parts/icons.tsx'
import styles from './Discover.module.css'

export function QueryBar(props: {
  readonly query: string
  readonly error: string | undefined
  readonly onSubmit: (query: string) => void
}): ReactNode {
  const [typed, setTyped] = useState(props.query)
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => setTyped(props.query), [props.query])
  useEffect(() => {
    const focus = (event: KeyboardEvent): void => {
      const elsewhere =
        event.target instanceof HTMLElement && event.target.closest('input,textarea')
      if (event.key !== '/' || elsewhere || event.ctrlKey || event.metaKey) return
      event.preventDefault()
      input.current?.focus()
    }
    document.addEventListener('keydown', focus)
    return () => document.removeEventListener('keydown', focus)
  }, [])
  return (
    <form
      className={styles.queryBar}
      role="search"
      onSubmit={(event) => {
        event.preventDefault()
        props.onSubmit(typed.trim())
      }}
    >
      <TextInput
        ref={input}
        aria-label="Query in Lucene syntax"
        placeholder={'Search, e.g. status:500 AND "connection refused"'}
        size="xs"
        styles={{ input: { height: 32, fontSize: 13, fontFamily: 'var(--mono)' } }}
        leftSection={<Icon name="search" size={14} />}
        rightSection={<SyntaxHelp />}
        rightSectionWidth={64}
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
        error={props.error}
        spellCheck={false}
        autoComplete="off"
      />
    </form>
  )
}

const examples: readonly (readonly [string, string])[] = [
  ['timeout refused', 'either word'],
  ['"connection refused"', 'the phrase'],
  ['status:500', 'a value of a field'],
  ['status:[400 TO 499]', 'a range, ends included'],
  ['bytes:>10000', 'larger than'],
  ['host:web* AND NOT level:debug', 'wildcards, and, or, not'],
  ['_exists_:user', 'the field is there'],
]

function SyntaxHelp(): ReactNode {
  return (
    <Popover position="bottom-end" width={380} shadow="md">
      <Popover.Target>
        <UnstyledButton className={styles.syntax} aria-label="Help on the Lucene query syntax">
          Lucene
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown>
        <Text size="sm" fw={600} mb={6}>
          Lucene query syntax
        </Text>
        <table className={styles.help}>
          <tbody>
            {examples.map(([query, meaning]) => (
              <tr key={query}>
                <td>
                  <code>{query}</code>
                </td>
                <td>{meaning}</td>
              </tr>
            ))}
          </tbody>
        </table>
        <Text size="xs" c="dimmed" mt={8}>
          Press / anywhere to come here, Enter to search.
        </Text>
      </Popover.Dropdown>
    </Popover>
  )
}
