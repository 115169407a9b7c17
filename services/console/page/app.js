// The page: which view is shown, and what stands around every view.
import { live, serverNow, start } from "./frames.js";
import { Banner, Sentences, Token } from "./above.js";
import { later } from "./later.js";
import { apply, choose, language, setting, settings } from "./settings.js";
import { bounded, clock, duration } from "./format.js";
import { t } from "./text.js";
import { html, render, useEffect, useLayoutEffect, useRef, useState, useStore } from "./ui.js";
import { BreakView } from "./views/break.js";
import { FlowView } from "./views/flow.js";
import { OrdersView } from "./views/orders.js";
import { PeakView } from "./views/peak.js";
import { ScalingView } from "./views/scaling.js";
import { StockView } from "./views/stock.js";

/** Dead letters have as many files as the rest; a first look should not wait for them. */
const LettersView = later("letters", () => import("./views/letters.js").then((module) => module.LettersView));

/** In the order of the navigation. */
const VIEWS = { flow: FlowView, peak: PeakView, orders: OrdersView, letters: LettersView, stock: StockView, break: BreakView, scaling: ScalingView };

function App() {
  const state = useStore(live);
  useStore(settings);
  const route = useRoute();
  const View = VIEWS[route.view];
  const main = useFocusAfter(route.view);
  useEffect(() => {
    document.title = `${t(`nav.${route.view}`)} · Spillway`;
  });
  return html`<div class="page" data-stale=${state.stale} data-view=${route.view}>
    <a class="skip" href="#main" onClick=${(event) => { event.preventDefault(); main.current?.focus(); }}>${t("skip")}</a>
    <header class="bar">
      <${Navigation} current=${route.view} letters=${state.frame?.letters} />
      <${Choices} />
      <${Freshness} state=${state} />
    </header>
    <${Sentences} state=${state} />
    <${Banner} state=${state} />
    <${Token} />
    <main id="main" tabindex="-1" ref=${main}><${View} state=${state} route=${route} key=${route.view} /></main>
  </div>`;
}

function Navigation({ current, letters }) {
  return html`<nav aria-label=${t("nav.label")}>
    <span class="brand">Spillway</span>
    <ul>${Object.keys(VIEWS).map((view) => html`<li key=${view}>
      <a href=${`#/${view}`} data-testid=${`nav-${view}`} aria-current=${view === current ? "page" : undefined}>${t(`nav.${view}`)}${view === "letters" && letters?.open > 0 && html` <${OpenLetters} letters=${letters} />`}</a>
    </li>`)}</ul>
  </nav>`;
}

function OpenLetters({ letters }) {
  const n = letters.more ? bounded(10_001) : bounded(letters.open);
  return html`<span class="count" title=${t("nav.letters-open", { n })}><span aria-hidden="true" data-testid="letters-open">${n}</span><span class="unseen">${t("nav.letters-open", { n })}</span></span>`;
}

function Choices() {
  const lang = language();
  const utc = setting("clock") === "utc";
  const theme = setting("theme");
  return html`<div class="choices">
    <button type="button" class="quiet" data-testid="clock" title=${t("choice.clock")} onClick=${() => choose({ clock: utc ? "local" : "utc" })}>${utc ? "UTC" : t("clock.local-short")}</button>
    <label><span class="unseen">${t("choice.theme")}</span>
      <select data-testid="theme" value=${theme} onChange=${(event) => choose({ theme: event.target.value })}>
        ${["auto", "light", "dark"].map((name) => html`<option key=${name} value=${name}>${t(`theme.${name}`)}</option>`)}
      </select></label>
    <button type="button" class="quiet" data-testid="lang" lang=${lang === "zh" ? "en" : "zh-CN"} onClick=${() => choose({ lang: lang === "zh" ? "en" : "zh" })}>${lang === "zh" ? "English" : "中文"}</button>
  </div>`;
}

/** Whether the numbers are of now. Its place is kept, so that nothing moves when it changes. */
function Freshness({ state }) {
  if (!state.frame) return html`<p class="fresh" role="status"><span class="state" data-kind=${state.lost ? "error" : "wait"}>${state.lost ? t("fresh.lost") : t("fresh.connecting")}</span></p>`;
  if (!state.stale) return html`<p class="fresh" title=${t("fresh.title", { instance: state.frame.instance })}><span class="state" data-kind="ok">${t("fresh.live")}</span> <span class="figures">${clock(serverNow(state))}</span></p>`;
  const seconds = (Date.now() - state.received) / 1000;
  return html`<p class="fresh" role="status"><span class="state" data-kind="error" data-testid="stale">${t("fresh.stale")}</span>${t("sentence.comma")}<span class="figures">${t("fresh.age", { age: duration(Math.floor(seconds)) })}</span></p>`;
}

/** The view and what follows it in the hash: `#/orders/<id>?status=paid`. */
function useRoute() {
  const read = () => {
    const [path, search = ""] = location.hash.replace(/^#\/?/, "").split("?");
    const [view, ...rest] = path.split("/");
    return { view: Object.hasOwn(VIEWS, view) ? view : "flow", rest: decode(rest.join("/")), search: new URLSearchParams(search) };
  };
  const [route, setRoute] = useState(read);
  useEffect(() => {
    const changed = () => setRoute(read());
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return route;
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A change of the view moves the focus to it, as the load of a page would; the first view leaves it alone. */
function useFocusAfter(view) {
  const main = useRef(null);
  const first = useRef(true);
  useLayoutEffect(() => {
    if (!first.current) {
      main.current?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    first.current = false;
  }, [view]);
  return main;
}

apply();
start();
const place = document.getElementById("app");
place.replaceChildren();
render(html`<${App} />`, place);
