/** The admin server's routes, on a web server that the main has made. */
import type { FastifyInstance } from 'fastify'
import { adminAnswer, jsonText, primaryNames } from './admin-commands.ts'
import type { ServerView } from './server-view.ts'

/** `view` is asked anew for each request; undefined while the server does not serve. */
export function serveAdmin(
  web: FastifyInstance,
  commandUrl: string,
  view: () => ServerView | undefined,
): void {
  web.get(commandUrl, async (_request, reply) => {
    const links = primaryNames.map((name) => `<a href="${commandUrl}/${name}">${name}</a>\n<br/>\n`)
    return reply.type('text/html').send(links.join(''))
  })
  web.get<{ Params: { name: string }; Querystring: Record<string, unknown> }>(
    `${commandUrl}/:name`,
    async ({ params, query }, reply) => {
      const { name } = params
      const shown = view()
      const given = Object.entries(query).map(([key, value]) => [key, String(value)] as const)
      const text =
        shown === undefined
          ? jsonText({ command: name, error: NOT_SERVING })
          : adminAnswer(name, shown, new Map(given))
      // As bytes, since fastify would add a charset to text.
      return reply.header('content-type', 'application/json').send(Buffer.from(text))
    },
  )
}

const NOT_SERVING = 'This ZooKeeper instance is not currently serving requests'
