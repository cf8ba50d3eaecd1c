// Light or dark, before the first paint: that is why this is no module.
(() => {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const read = () => {
    try {
      return localStorage.getItem('theme');
    } catch {
      return null;
    }
  };
  let choice = read(); // 'light', 'dark', or anything else: as the system

  const apply = () => {
    const dark = choice === 'dark' || (choice !== 'light' && system.matches);
    document.documentElement.dataset.theme = dark ? 'dark' : 'light';
    const meta = document.querySelector('meta[name="theme-color"]');
    if (meta) meta.content = dark ? '#171513' : '#f6f3ee';
  };

  apply();
  system.addEventListener('change', apply);
  window.theme = {
    get choice() {
      return choice === 'light' || choice === 'dark' ? choice : 'auto';
    },
    next() {
      const order = ['auto', 'light', 'dark'];
      choice = order[(order.indexOf(this.choice) + 1) % order.length];
      try {
        localStorage.setItem('theme', choice);
      } catch {
        // Without storage it holds until the page is left.
      }
      apply();
      return choice;
    },
  };
})();
