// Before the first paint, so that a chosen theme does not flash.
(() => {
  try {
    const chosen = localStorage.getItem("quarq-theme");
    if (chosen) document.documentElement.dataset.theme = chosen;
  } catch {
    // Storage may be forbidden: the system's theme stays.
  }
})();
