// What scripts that are no modules add to the page.
interface Window {
  /** uPlot, once it is loaded: https://github.com/leeoniya/uPlot */
  uPlot: any;
}
