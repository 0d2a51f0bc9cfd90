// Of the vendored Preact, what the pages use.
export type Child = VNode | string | number | bigint | boolean | null | undefined | Child[];
export interface VNode {
  type: unknown;
  props: object;
}
export function h(type: unknown, props: object | null, ...children: Child[]): VNode;
export function render(what: Child, into: Element): void;
export const Fragment: unknown;
