//! The curves as a picture for a page that has no style of its own: an SVG with a background, so that it reads
//! the same where the page is light and where it is dark.

use super::curve::{Curves, Step};

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 64.0;
const TOP: f64 = 72.0;
const BOTTOM: f64 = 56.0;

/// Where its ideal line ends when nothing was measured.
const USUAL: f64 = 8.0;

/// How the curve of a broker looks. The brokers differ in the shape of their points too, and their labels are on
/// different sides, since the curves may lie on each other.
struct Look {
    colour: &'static str,
    /// In which distance of a point its label begins, and how it is anchored.
    label: (f64, f64, &'static str),
    shape: fn(f64, f64) -> String,
}

const LOOKS: [Look; 2] = [
    Look {
        colour: "#c2410c",
        label: (10.0, 14.0, "start"),
        shape: |x, y| format!(r#"<circle cx="{x:.1}" cy="{y:.1}" r="4.5"/>"#),
    },
    Look {
        colour: "#1d4ed8",
        label: (-10.0, -6.0, "end"),
        shape: |x, y| {
            let (x, y) = (x - 4.0, y - 4.0);
            format!(r#"<rect x="{x:.1}" y="{y:.1}" width="8" height="8"/>"#)
        },
    },
];

/// Both axes begin at 0 and end here.
struct Axes {
    consumers: f64,
    times: f64,
}

/// Draws how many times the rate of one consumer there was with how many consumers, the rates as labels. A step that
/// cannot be compared with one consumer is left out.
pub(super) fn drawing(curves: &Curves) -> String {
    let axes = Axes::around(curves);
    let mut parts = vec![
        format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" font-family="system-ui, sans-serif" font-size="13" fill="#1f2328">"##
        ),
        "<title>Messages per second of more consumers, as a multiple of one</title>".to_owned(),
        format!(r##"<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="#f6f8fa"/>"##),
    ];
    parts.extend(axes.grid(curves));
    parts.extend(ideal(&axes));
    for ((name, steps), (number, look)) in curves.by_broker().into_iter().zip((0_u8..).zip(&LOOKS))
    {
        parts.push(key(name, f64::from(number), look));
        parts.extend(curve(steps, look, &axes));
    }
    parts.push("</svg>\n".to_owned());
    parts.join("\n")
}

impl Axes {
    fn around(curves: &Curves) -> Self {
        let steps = || curves.by_broker().into_iter().flat_map(|(_, steps)| steps);
        let consumers = steps().map(|step| f64::from(step.consumers));
        let consumers = consumers.reduce(f64::max).filter(|most| *most > 0.0);
        let consumers = consumers.unwrap_or(USUAL);
        let times = steps().filter_map(|step| step.times);
        // What is better than ideal has its place too.
        let times = times.fold(consumers, f64::max).ceil();
        Self { consumers, times }
    }

    fn x(&self, consumers: f64) -> f64 {
        LEFT + consumers / self.consumers * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, times: f64) -> f64 {
        HEIGHT - BOTTOM - times / self.times * (HEIGHT - TOP - BOTTOM)
    }

    /// A line and a number for each number of consumers, on both axes.
    fn grid(&self, curves: &Curves) -> Vec<String> {
        let steps = curves.by_broker().into_iter().flat_map(|(_, steps)| steps);
        let mut numbers: Vec<_> = steps.map(|step| step.consumers).collect();
        numbers.push(0);
        numbers.sort_unstable();
        numbers.dedup();
        let (left, right) = (self.x(0.0), self.x(self.consumers));
        let (bottom, top) = (self.y(0.0), self.y(self.times));
        let mut parts = Vec::new();
        for number in numbers {
            let (x, y) = (self.x(number.into()), self.y(number.into()));
            parts.push(format!(
                r##"<path d="M{x:.1} {top:.1}V{bottom:.1}M{left:.1} {y:.1}H{right:.1}" stroke="#d1d9e0"/>"##
            ));
            let (below, before, middle) = (bottom + 20.0, left - 10.0, y + 4.0);
            parts.push(text((x, below), "middle", &number.to_string()));
            parts.push(text((before, middle), "end", &format!("{number}×")));
        }
        let (x, y) = (f64::midpoint(left, right), bottom + 42.0);
        parts.push(text((x, y), "middle", "consumers"));
        parts.push(text((left - 40.0, 28.0), "start", "rate, times one"));
        parts
    }
}

fn ideal(axes: &Axes) -> [String; 2] {
    let end = axes.consumers;
    let (x0, y0, x1, y1) = (axes.x(0.0), axes.y(0.0), axes.x(end), axes.y(end));
    let line = |path: &str| {
        format!(r##"<path d="{path}" fill="none" stroke="#59636e" stroke-dasharray="6 5"/>"##)
    };
    let key = line("M480 24H512") + &text((520.0, 28.0), "start", "ideal");
    let line = line(&format!("M{x0:.1} {y0:.1}L{x1:.1} {y1:.1}"));
    [line, key]
}

fn key(name: &str, number: f64, look: &Look) -> String {
    let x = 220.0 + 130.0 * number;
    let (colour, shape) = (look.colour, (look.shape)(x, 24.0));
    let name = text((x + 12.0, 28.0), "start", name);
    format!(r#"<g fill="{colour}">{shape}{name}</g>"#)
}

fn curve(steps: &[Step], look: &Look, axes: &Axes) -> Vec<String> {
    let placed = steps.iter().filter_map(|step| {
        let place = (axes.x(step.consumers.into()), axes.y(step.times?));
        Some((place, step.per_s))
    });
    let placed: Vec<_> = placed.collect();
    let points = placed.iter().map(|((x, y), _)| format!("{x:.1},{y:.1}"));
    let points = points.collect::<Vec<_>>().join(" ");
    let (colour, (right, down, anchor)) = (look.colour, look.label);
    let mut parts = vec![
        format!(r#"<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>"#),
        format!(r#"<g fill="{colour}">"#),
    ];
    for ((x, y), per_s) in placed {
        parts.push((look.shape)(x, y));
        let label = format!("{per_s:.0}/s");
        parts.push(text((x + right, y + down), anchor, &label));
    }
    parts.push("</g>".to_owned());
    parts
}

fn text((x, y): (f64, f64), anchor: &str, words: &str) -> String {
    format!(r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{words}</text>"#)
}

#[cfg(test)]
mod tests {
    use super::super::curve::steps;
    use super::*;

    fn both(rabbitmq: &[(u32, f64)], kafka: &[(u32, f64)]) -> String {
        drawing(&Curves {
            rabbitmq: steps(rabbitmq),
            kafka: steps(kafka),
        })
    }

    fn points(drawing: &str) -> Vec<Vec<&str>> {
        let curves = drawing.split(r#"<polyline points=""#).skip(1);
        let curves = curves.filter_map(|rest| rest.split_once('"'));
        curves
            .map(|(points, _)| points.split_whitespace().collect())
            .collect()
    }

    #[test]
    fn a_curve_that_is_ideal_lies_on_the_line() {
        let drawn = both(&[(1, 40.0), (2, 80.0), (4, 160.0)], &[(1, 50.0)]);
        let [from, to] = ["M64.0 384.0", "L576.0 72.0"];
        assert!(drawn.contains(&format!("{from}{to}")), "{drawn}");
        let expected = [
            vec!["192.0,306.0", "320.0,228.0", "576.0,72.0"],
            vec!["192.0,306.0"],
        ];
        assert_eq!(points(&drawn), expected);
        assert!(
            drawn.contains(">160/s<") && drawn.contains(">50/s<"),
            "{drawn}"
        );
    }

    #[test]
    fn whatever_was_measured_stays_inside_the_picture() {
        type Rates<'r> = &'r [(u32, f64)];
        let measured: [(Rates<'_>, Rates<'_>); 5] = [
            (&[], &[]),
            (&[(0, 1.0)], &[]),
            (&[(1, 0.0), (8, 300.0)], &[(8, 300.0)]),
            (&[(1, 1.0), (2, 1_000.0)], &[(1, 1.0), (2, 0.0)]),
            (&[(1, 5.0)], &[(1, 1e9), (2, 1e-9)]),
        ];
        for (rabbitmq, kafka) in measured {
            let drawn = both(rabbitmq, kafka);
            let texts = ["NaN", "inf"].map(|text| drawn.contains(text));
            assert_eq!(texts, [false; 2], "{drawn}");
            for point in points(&drawn).into_iter().flatten() {
                let inside = point.split_once(',').is_some_and(|(x, y)| {
                    let is_in = |value: &str, from: f64, to: f64| {
                        let value: Result<f64, _> = value.parse();
                        value.is_ok_and(|value| (from..=to).contains(&value))
                    };
                    is_in(x, LEFT, WIDTH - RIGHT) && is_in(y, TOP, HEIGHT - BOTTOM)
                });
                assert!(inside, "{point} in {drawn}");
            }
        }
    }

    #[test]
    fn what_cannot_be_compared_is_left_out() {
        let drawn = both(&[(2, 80.0), (4, 160.0)], &[(1, 40.0), (4, 150.0)]);
        let drawn = points(&drawn);
        assert_eq!(drawn.iter().map(Vec::len).collect::<Vec<_>>(), [0, 2]);
    }
}
