import type { ReactNode } from 'react'
import styles from './parts.module.css'

/** Says what is missing and what to do about it. */
export function EmptyState(props: {
  readonly title: string
  readonly children?: ReactNode
  readonly tone?: 'plain' | 'bad'
}): ReactNode {
  return (
    <div className={styles.empty} role={props.tone === 'bad' ? 'alert' : 'status'}>
      <div className={props.tone === 'bad' ? styles.emptyMarkBad : styles.emptyMark} aria-hidden>
        <svg viewBox="0 0 32 32" width="26" height="26" fill="none" stroke="currentColor">
          <g strokeWidth="2.4" strokeLinecap="round">
            <path d="M5 11c3.7-3 7.3-3 11 0s7.3 3 11 0" />
            <path d="M5 17c3.7-3 7.3-3 11 0s7.3 3 11 0" opacity=".7" />
            <path d="M5 23c3.7-3 7.3-3 11 0s7.3 3 11 0" opacity=".4" />
          </g>
        </svg>
      </div>
      <h2 className={styles.emptyTitle}>{props.title}</h2>
      <div className={styles.emptyText}>{props.children}</div>
    </div>
  )
}
