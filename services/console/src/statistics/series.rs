use std::collections::VecDeque;

/// For how many seconds points are kept: an hour.
const KEPT: usize = 3_600;

/// The numbers of one queue at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[expect(missing_docs, reason = "as in `QueueState`")]
pub struct Point {
    pub at: f64,
    pub arrived: u64,
    pub departed: u64,
    pub depth: Option<u64>,
    pub age: Option<f64>,
    pub arriving: Option<f64>,
    pub leaving: Option<f64>,
    pub instances: Option<u64>,
}

/// The numbers of one queue over the last hour, one point a second.
#[derive(Debug, Clone, Default)]
pub struct Series {
    points: VecDeque<Point>,
}

impl Series {
    pub(super) fn push(&mut self, point: Point) {
        if self.points.len() >= KEPT {
            self.points.pop_front();
        }
        self.points.push_back(point);
    }

    /// The points since this moment.
    pub fn since(&self, moment: f64) -> impl Iterator<Item = &Point> {
        self.points
            .iter()
            .skip_while(move |point| point.at < moment)
    }
}
