// Pure. The syntax tree of a configuration, as the grammar builds it.

export interface Place {
  readonly line: number
  readonly column: number
  readonly offset: number
}

export type SectionType = 'input' | 'filter' | 'output'

export interface SectionNode {
  readonly type: SectionType
  readonly body: readonly StatementNode[]
}

export type StatementNode = PluginNode | BranchNode

export interface PluginNode {
  readonly kind: 'plugin'
  readonly name: string
  readonly attributes: readonly AttributeNode[]
  readonly at: Place
}

export interface AttributeNode {
  readonly name: string
  readonly value: ValueNode
}

export interface BranchNode {
  readonly kind: 'branch'
  /** `if`, then each `else if`. */
  readonly arms: readonly { readonly condition: ConditionNode; readonly body: StatementNode[] }[]
  readonly otherwise: readonly StatementNode[]
}

/** `raw` is what stands between the quotes or slashes. */
export interface StringNode {
  readonly kind: 'string'
  readonly raw: string
}

export interface NumberNode {
  readonly kind: 'number'
  readonly text: string
}

export interface BarewordNode {
  readonly kind: 'bareword'
  readonly text: string
}

export interface ArrayNode {
  readonly kind: 'array'
  readonly items: readonly ValueNode[]
}

export interface HashNode {
  readonly kind: 'hash'
  readonly entries: readonly {
    readonly key: NumberNode | BarewordNode | StringNode
    readonly value: ValueNode
  }[]
  readonly at: Place
}

export type ValueNode = PluginNode | BarewordNode | StringNode | NumberNode | ArrayNode | HashNode

export type OperandNode =
  | StringNode
  | NumberNode
  | { readonly kind: 'selector'; readonly text: string }
  | ArrayNode
  | { readonly kind: 'call'; readonly name: string }
  | RegexpNode

export interface RegexpNode {
  readonly kind: 'regexp'
  readonly raw: string
}

export interface ConditionNode {
  readonly kind: 'condition'
  readonly first: ExpressionNode
  readonly rest: readonly {
    readonly operator: 'and' | 'or' | 'xor' | 'nand'
    readonly expression: ExpressionNode
  }[]
}

export type ExpressionNode =
  | ConditionNode
  | { readonly kind: 'not'; readonly condition: ConditionNode | RvalueNode }
  | {
      readonly kind: 'in'
      readonly item: OperandNode
      readonly list: OperandNode
      readonly negated: boolean
    }
  | {
      readonly kind: 'compare'
      readonly operator: '==' | '!=' | '<=' | '>=' | '<' | '>'
      readonly left: OperandNode
      readonly right: OperandNode
    }
  | {
      readonly kind: 'match'
      readonly operand: OperandNode
      readonly pattern: StringNode | RegexpNode
      readonly negated: boolean
    }
  | RvalueNode

export interface RvalueNode {
  readonly kind: 'rvalue'
  readonly operand: OperandNode
}
