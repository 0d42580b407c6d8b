// The pages' addresses. All that a page shows is in its address, so a copied link shows the same.
import { createRootRoute, createRoute, createRouter, redirect } from '@tanstack/react-router'
import { DiscoverPage } from './discover/DiscoverPage.tsx'
import { discoverSearch } from './discover/state.ts'
import { Shell } from './layout/Shell.tsx'
import { EmptyState } from './parts/EmptyState.tsx'
import { topicSearch, topicsSearch } from './topics/state.ts'
import { TopicPage } from './topics/TopicPage.tsx'
import { TopicsPage } from './topics/TopicsPage.tsx'

const rootRoute = createRootRoute({
  component: Shell,
  notFoundComponent: () => (
    <EmptyState title="There is no such page">Discover and Topics are in the bar above.</EmptyState>
  ),
})

const indexRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/discover' })
  },
})

const discoverRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/discover',
  validateSearch: discoverSearch,
  component: DiscoverPage,
})

const topicsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/topics',
  validateSearch: topicsSearch,
  component: TopicsPage,
})

const topicRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/topics/$name',
  validateSearch: topicSearch,
  component: TopicPage,
})

export const router = createRouter({
  routeTree: rootRoute.addChildren([indexRoute, discoverRoute, topicsRoute, topicRoute]),
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
