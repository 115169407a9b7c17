// Dots that move along the lines, faster and closer together where more is sent.
import { useEffect, useRef } from "../ui.js";
import { EDGES } from "./layout.js";

const MOST = 7;
const SVG = "http://www.w3.org/2000/svg";

/** Moves dots in the layer while `frame` is of now and nobody asked for less motion. Draws nothing by itself. */
export function useDots(layer, frame, still) {
  const rates = useRef(new Map());
  rates.current = new Map(EDGES.map((edge) => [edge.id, (!still && frame && edge.rate(frame)) || 0]));
  useEffect(() => {
    const quiet = matchMedia("(prefers-reduced-motion: reduce)");
    const lines = EDGES.map((edge) => line(layer.current, edge));
    let before = null;
    let request = requestAnimationFrame(function step(now) {
      const seconds = before === null ? 0 : Math.min(0.1, (now - before) / 1000);
      before = now;
      for (const one of lines) move(one, quiet.matches ? 0 : rates.current.get(one.id), seconds);
      request = requestAnimationFrame(step);
    });
    return () => {
      cancelAnimationFrame(request);
      layer.current?.replaceChildren();
    };
  }, []);
}

/** A path that is measured but not shown, and its dots, none of which is seen yet. */
function line(layer, edge) {
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", edge.d);
  const dots = Array.from({ length: MOST }, () => {
    const dot = document.createElementNS(SVG, "circle");
    dot.setAttribute("r", "2.5");
    dot.setAttribute("visibility", "hidden");
    dot.setAttribute("class", edge.quiet ? "dot bad" : "dot");
    layer.append(dot);
    return dot;
  });
  return { id: edge.id, path, length: path.getTotalLength(), dots, phase: 0 };
}

function move(one, perSecond, seconds) {
  const seen = perSecond > 0 ? Math.min(MOST, Math.max(1, Math.round((1 + 2 * Math.log10(1 + perSecond)) * Math.min(1, one.length / 90)))) : 0;
  const speed = 24 + 36 * Math.log10(1 + (perSecond || 0));
  one.phase = (one.phase + (speed * seconds) / one.length) % 1;
  one.dots.forEach((dot, i) => {
    if (i >= seen) {
      dot.setAttribute("visibility", "hidden");
      return;
    }
    const point = one.path.getPointAtLength(((one.phase + i / seen) % 1) * one.length);
    dot.setAttribute("cx", point.x.toFixed(1));
    dot.setAttribute("cy", point.y.toFixed(1));
    dot.setAttribute("visibility", "visible");
  });
}
