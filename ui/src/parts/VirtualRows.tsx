import { useVirtualizer } from '@tanstack/react-virtual'
import { type ReactNode, useRef } from 'react'
import styles from './parts.module.css'

/** A scrolling list that draws only what is seen; rows may change their height. */
export function VirtualRows(props: {
  readonly count: number
  readonly rowHeight: number
  readonly label: string
  readonly header?: ReactNode
  readonly footer?: ReactNode
  readonly keyOf: (index: number) => string
  readonly row: (index: number) => ReactNode
  /** Whether the first row is out of sight. */
  readonly onScrolled?: (isScrolled: boolean) => void
}): ReactNode {
  const scroller = useRef<HTMLDivElement>(null)
  const rows = useVirtualizer({
    count: props.count,
    getScrollElement: () => scroller.current,
    estimateSize: () => props.rowHeight,
    getItemKey: props.keyOf,
    overscan: 12,
  })
  return (
    <div
      ref={scroller}
      className={styles.rows}
      role="table"
      aria-label={props.label}
      onScroll={({ currentTarget }) => props.onScrolled?.(currentTarget.scrollTop > 0)}
    >
      {props.header}
      <div className={styles.canvas} style={{ height: rows.getTotalSize() }} role="rowgroup">
        {rows.getVirtualItems().map((item) => (
          <div
            key={item.key}
            ref={rows.measureElement}
            data-index={item.index}
            className={styles.item}
            style={{ transform: `translateY(${item.start}px)` }}
          >
            {props.row(item.index)}
          </div>
        ))}
      </div>
      {props.footer}
    </div>
  )
}
