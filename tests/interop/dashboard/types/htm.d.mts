// Of the vendored htm, what the pages use.
import type { VNode } from "./preact.mjs";
type Html = (text: TemplateStringsArray, ...values: unknown[]) => VNode;
declare const htm: { bind(h: unknown): Html };
export default htm;
