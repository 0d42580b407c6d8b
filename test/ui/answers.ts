// The pages and the server each declare the answers between them, since neither may import the other.
// Nothing runs here: this file does not compile when the two differ.
import type { BrowseAnswer } from '../../src/console/browse.ts'
import type { SearchField, SearchIndex } from '../../src/console/elasticsearch.ts'
import type { TopicDetail, TopicSummary } from '../../src/console/kafka.ts'
import type { Status } from '../../src/console/status.ts'
import type * as pages from '../../ui/src/api/types.ts'

type SentMessages = Omit<BrowseAnswer, 'next'> & { readonly next: string }

export const agreements = {
  status: (sent: Status): pages.Status => sent,
  index: (sent: SearchIndex): pages.SearchIndex => sent,
  field: (sent: SearchField): pages.SearchField => sent,
  topics: (sent: TopicSummary): pages.TopicSummary => sent,
  topic: (sent: TopicDetail): pages.TopicDetail => sent,
  messages: (sent: SentMessages): pages.MessagesAnswer => sent,
}
