import type { ReactNode } from 'react'
import { Icon } from './icons.tsx'
import styles from './parts.module.css'

/** Opens and closes what belongs to a row. */
export function ChevronButton(props: {
  readonly open: boolean
  readonly label: string
  readonly onToggle: () => void
}): ReactNode {
  return (
    <button
      type="button"
      className={styles.chevron}
      aria-expanded={props.open}
      aria-label={props.label}
      onClick={(event) => {
        event.stopPropagation()
        props.onToggle()
      }}
    >
      <Icon name="chevron" size={14} />
    </button>
  )
}
