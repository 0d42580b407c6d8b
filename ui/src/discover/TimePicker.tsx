import {
  Button,
  Popover,
  SegmentedControl,
  Stack,
  Text,
  TextInput,
  UnstyledButton,
} from '@mantine/core'
import { type ReactNode, useEffect, useState } from 'react'
import { Icon } from '../parts/icons.tsx'
import {
  describeRange,
  formatTime,
  quickRanges,
  resolveTime,
  type TimeRange,
} from '../time/range.ts'
import styles from './Discover.module.css'

export function TimePicker(props: {
  readonly range: TimeRange
  readonly refreshSeconds: number | undefined
  readonly onRange: (range: TimeRange) => void
  /** 0: not by itself. */
  readonly onRefreshSeconds: (seconds: number) => void
}): ReactNode {
  const [open, setOpen] = useState(false)
  const choose = (range: TimeRange): void => {
    setOpen(false)
    props.onRange(range)
  }
  return (
    <Popover
      opened={open}
      onChange={setOpen}
      position="bottom-end"
      shadow="md"
      trapFocus
      returnFocus
    >
      <Popover.Target>
        <Button
          size="xs"
          h={32}
          variant="default"
          fw={500}
          leftSection={<Icon name="clock" size={14} />}
          onClick={() => setOpen(!open)}
          aria-label={`Time range: ${describeRange(props.range)}`}
        >
          {describeRange(props.range)}
          {props.refreshSeconds === undefined ? null : (
            <span className={styles.dim}>{` · every ${props.refreshSeconds} s`}</span>
          )}
        </Button>
      </Popover.Target>
      <Popover.Dropdown className={styles.timePicker}>
        <div className={styles.quick}>
          {quickRanges.map((range) => (
            <UnstyledButton
              key={range.label}
              className={styles.quickRange}
              data-active={range.from === props.range.from && range.to === props.range.to}
              onClick={() => choose({ from: range.from, to: range.to })}
            >
              {range.label}
            </UnstyledButton>
          ))}
        </div>
        <Stack gap={10} className={styles.absolute}>
          <AbsoluteRange range={props.range} onRange={choose} />
          <div>
            <Text size="xs" c="dimmed" mb={4}>
              Refresh by itself
            </Text>
            <SegmentedControl
              size="xs"
              fullWidth
              aria-label="Refresh by itself"
              value={String(props.refreshSeconds ?? 0)}
              onChange={(value) => props.onRefreshSeconds(Number(value))}
              data={[
                { value: '0', label: 'Off' },
                { value: '1', label: '1 s' },
                { value: '5', label: '5 s' },
                { value: '10', label: '10 s' },
                { value: '30', label: '30 s' },
                { value: '60', label: '1 min' },
              ]}
            />
          </div>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}

function AbsoluteRange(props: {
  readonly range: TimeRange
  readonly onRange: (range: TimeRange) => void
}): ReactNode {
  const [from, setFrom] = useState(() => editable(props.range.from))
  const [to, setTo] = useState(() => editable(props.range.to))
  const [problem, setProblem] = useState<string>()
  useEffect(() => {
    setFrom(editable(props.range.from))
    setTo(editable(props.range.to))
  }, [props.range.from, props.range.to])
  const apply = (): void => {
    const now = Date.now()
    const fromMs = resolveTime(from, now)
    const toMs = resolveTime(to, now)
    if (fromMs === undefined || toMs === undefined) {
      const which = fromMs === undefined ? 'From' : 'To'
      setProblem(`${which} is no time: write 2026-11-23 10:00:00 or now-2h.`)
    } else if (fromMs >= toMs) {
      setProblem('From must be before To.')
    } else {
      setProblem(undefined)
      props.onRange({ from: stored(from), to: stored(to) })
    }
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        apply()
      }}
    >
      <Stack gap={8}>
        <TextInput
          size="xs"
          label="From"
          value={from}
          onChange={(event) => setFrom(event.currentTarget.value)}
          styles={{ input: { fontFamily: 'var(--mono)' } }}
        />
        <TextInput
          size="xs"
          label="To"
          value={to}
          onChange={(event) => setTo(event.currentTarget.value)}
          styles={{ input: { fontFamily: 'var(--mono)' } }}
          error={problem}
        />
        <Button size="xs" type="submit">
          Apply
        </Button>
      </Stack>
    </form>
  )
}

/** Absolute times are edited in local time and kept in UTC, so that a link means the same anywhere. */
function editable(text: string): string {
  const ms = text.startsWith('now') ? undefined : resolveTime(text, 0)
  return ms === undefined ? text : formatTime(ms).replace(/\.000$/, '')
}

function stored(text: string): string {
  const trimmed = text.trim()
  if (trimmed.startsWith('now')) return trimmed
  const ms = resolveTime(trimmed, 0)
  return ms === undefined ? trimmed : new Date(ms).toISOString()
}
