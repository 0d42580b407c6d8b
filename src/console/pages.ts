// Serves the built pages: hashed files for a year, index.html fresh, every other path is the pages' own.
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Disk } from '../runtime/disk.ts'

const waitingPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="refresh" content="2">
<title>Millrace console</title>
<style>
  body { font: 15px/1.5 system-ui, sans-serif; margin: 20vh auto; max-width: 34em; padding: 0 1em }
  code { font-family: ui-monospace, monospace }
</style>
</head>
<body>
<h1>The pages are being built</h1>
<p>This page asks again every two seconds. If nothing builds them, run <code>npm run build</code>.</p>
</body>
</html>
`

/** `directory` holds index.html and assets/ once they are built; it may appear later. */
export async function registerPages(
  app: FastifyInstance,
  ports: { readonly disk: Pick<Disk, 'stat'> },
  directory: string,
): Promise<void> {
  const keeping = (path: string): string => {
    if (path.startsWith(`${directory}/assets/`)) return 'public, max-age=31536000, immutable'
    return path.endsWith('/index.html') ? 'no-cache' : 'public, max-age=3600'
  }
  const isBuilt = (): boolean => ports.disk.stat(`${directory}/index.html`)?.kind === 'file'
  await app.register(fastifyStatic, {
    root: directory,
    serve: false,
    preCompressed: true,
    cacheControl: false,
    // Only what was found may be kept: a browser would keep a 404 for a year, too.
    setHeaders: (reply, path) => void reply.header('cache-control', keeping(path)),
  })
  const sendPage = (reply: FastifyReply): FastifyReply => {
    if (isBuilt()) return reply.sendFile('index.html')
    void reply.header('cache-control', 'no-cache')
    return reply.code(503).header('retry-after', '2').type('text/html').send(waitingPage)
  }
  app.get('/assets/*', (request: FastifyRequest<{ Params: { '*': string } }>, reply) => {
    if (!isBuilt()) return sendPage(reply)
    return reply.sendFile(`assets/${request.params['*']}`)
  })
  app.get('/*', (request: FastifyRequest<{ Params: { '*': string } }>, reply) => {
    const path = request.params['*']
    // Files that keep their name, such as the icon; everything without a dot is a page.
    if (/^[\w-]+\.(svg|js|txt|webmanifest)$/.test(path) && isBuilt()) {
      return reply.sendFile(path)
    }
    return sendPage(reply)
  })
}
