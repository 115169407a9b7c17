// A view whose files come when it is opened for the first time, all at once: index.html names them in a template.
import { Problem } from "./api.js";
import { Empty, Refusal } from "./parts.js";
import { t } from "./text.js";
import { html, useEffect, useState } from "./ui.js";

/** `open` imports the view; the template is `<name>-files`. */
export function later(name, open) {
  let View = null;
  return function Later(props) {
    const [shown, setShown] = useState({ View, problem: null });
    useEffect(() => {
      if (View) return;
      Promise.all([open(), ...files(name)]).then(([opened]) => {
        View = opened;
        setShown({ View, problem: null });
      }, (error) => setShown({ View, problem: new Problem(0, "network", String(error)) }));
    }, []);
    if (shown.View) return html`<${shown.View} ...${props} />`;
    return shown.problem ? html`<${Refusal} problem=${shown.problem} id="view-problem" />` : html`<${Empty}>${t("loading")}<//>`;
  };
}

/** Asks for the files and waits for the style sheets, without which the view would jump. What is there already is not sent again. */
function files(name) {
  const template = document.getElementById(`${name}-files`);
  const links = [...template.content.cloneNode(true).querySelectorAll("link")];
  document.head.append(...links);
  const sheets = links.filter((link) => link.rel === "stylesheet");
  return sheets.map((link) => new Promise((loaded, failed) => {
    link.addEventListener("load", loaded);
    link.addEventListener("error", failed);
  }));
}
