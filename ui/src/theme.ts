import { createTheme, type MantineColorsTuple } from '@mantine/core'

const mill: MantineColorsTuple = [
  '#e6f7f5',
  '#cdece8',
  '#9cdad3',
  '#66c6bc',
  '#3cb3a8',
  '#1f9f94',
  '#14897f',
  '#0f766e',
  '#0d625c',
  '#0a4f4a',
]

const dark: MantineColorsTuple = [
  '#d8dfe7',
  '#b4bec9',
  '#8a97a5',
  '#626f7d',
  '#323d49',
  '#28323d',
  '#1c242d',
  '#12181f',
  '#0d1217',
  '#090c10',
]

const sans =
  'Inter, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
const mono =
  'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace'

export const theme = createTheme({
  colors: { mill, dark },
  primaryColor: 'mill',
  primaryShade: { light: 7, dark: 5 },
  defaultRadius: 'sm',
  fontFamily: sans,
  fontFamilyMonospace: mono,
  fontSizes: { xs: '11.5px', sm: '13px', md: '14px', lg: '16px', xl: '18px' },
  cursorType: 'pointer',
  focusRing: 'auto',
  respectReducedMotion: true,
})
