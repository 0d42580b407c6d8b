import { Button, CopyButton as MantineCopyButton } from '@mantine/core'
import type { ReactNode } from 'react'

export function CopyButton(props: { readonly text: string; readonly label: string }): ReactNode {
  return (
    <MantineCopyButton value={props.text} timeout={1500}>
      {({ copied, copy }) => (
        <Button size="compact-xs" variant="default" onClick={copy}>
          {copied ? 'Copied' : props.label}
        </Button>
      )}
    </MantineCopyButton>
  )
}
