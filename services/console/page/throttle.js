// What is wanted more often than it may be done.

/** `want()` calls at once, unless that was done less than `every` milliseconds ago: then it calls once when they are over. */
export function throttle(call, every, later = setTimeout) {
  let timer = null;
  let again = false;
  const run = () => {
    again = false;
    timer = later(over, every);
    call();
  };
  const over = () => {
    timer = null;
    if (again) run();
  };
  return {
    want() {
      if (timer === null) run();
      else again = true;
    },
    stop() {
      again = false;
      clearTimeout(timer);
    },
  };
}
