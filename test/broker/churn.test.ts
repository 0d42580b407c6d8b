import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Churn } from './churn.ts'

const seeds = [1, 2, 3, 4, 5, 6]

for (const brokerCount of [2, 3])
  test(`${brokerCount} brokers come and go: nothing that was acknowledged is lost, and all agree`, async () => {
    let acknowledgedCount = 0
    for (const seed of seeds) {
      const churn = new Churn(seed, brokerCount)
      await churn.run(60)
      await churn.check()
      acknowledgedCount += churn.acknowledgedCount
    }
    assert.ok(acknowledgedCount > 50)
  })
