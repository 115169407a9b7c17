// What somebody presses a button for: one request at a time, with their name, and refused where it was pressed.
import { setting } from "./settings.js";
import { useRef, useState } from "./ui.js";

/** `nameField` is the id of the field that gets the focus when the name is missing. */
export function useAction(nameField) {
  const [shown, setShown] = useState({ busy: false, problem: null, nameless: false });
  const busy = useRef(false);
  /** Calls `request` with the name; answers what it answered, or undefined when it was not done. */
  const act = async (request) => {
    const by = setting("name").trim();
    if (by === "") {
      setShown({ busy: false, problem: null, nameless: true });
      document.getElementById(nameField)?.focus();
      return undefined;
    }
    // A second press of a double click comes before the button is drawn as disabled.
    if (busy.current) return undefined;
    busy.current = true;
    setShown({ busy: true, problem: null, nameless: false });
    try {
      const answer = await request(by);
      setShown({ busy: false, problem: null, nameless: false });
      return answer ?? null;
    } catch (problem) {
      setShown({ busy: false, problem, nameless: false });
      return undefined;
    } finally {
      busy.current = false;
    }
  };
  return { ...shown, nameless: shown.nameless && setting("name").trim() === "", act };
}
