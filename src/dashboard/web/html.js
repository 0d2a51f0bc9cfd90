// Preact with templates instead of JSX: nothing has to be compiled.
import { h, render, Fragment } from "./preact.mjs";
import htm from "./htm.mjs";

export const html = htm.bind(h);
export { render, Fragment };
export { useState, useEffect, useRef, useMemo, useCallback, useLayoutEffect } from "./hooks.mjs";
