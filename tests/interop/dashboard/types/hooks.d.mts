// Of the vendored hooks of Preact, what the pages use.
type Cleanup = void | undefined | (() => void);
export type Setter<T> = (next: T | ((old: T) => T)) => void;
export function useState<T>(first: T | (() => T)): [T, Setter<T>];
export function useEffect(run: () => Cleanup, inputs?: unknown[]): void;
export function useLayoutEffect(run: () => Cleanup, inputs?: unknown[]): void;
export function useRef<T>(first: T): { current: T };
export function useMemo<T>(make: () => T, inputs: unknown[]): T;
export function useCallback<T>(f: T, inputs: unknown[]): T;
