import type { ControlSettings } from '../controller/desk.ts'
import type { brokerDeclarations } from './broker-settings.ts'

type Values = ReturnType<typeof brokerDeclarations.parse>['values']

export function controlSettings(values: Values): ControlSettings {
  const rebalance = {
    intervalMs: values['leader.imbalance.check.interval.seconds'] * 1000,
    imbalancePercentMax: values['leader.imbalance.per.broker.percentage'],
  }
  return {
    ...(values['auto.leader.rebalance.enable'] ? { rebalance } : {}),
    socketTimeoutMs: values['controller.socket.timeout.ms'],
    shutdownAttemptsMax: values['controlled.shutdown.enable']
      ? values['controlled.shutdown.max.retries']
      : 0,
    shutdownBackoffMs: values['controlled.shutdown.retry.backoff.ms'],
  }
}
