//! Bars by day, as inline SVG with its words in HTML.
//!
//! The picture is stretched to the width that there is, so it holds no text: axis and legend stand around it and
//! keep their size on a phone. Each bar has a title for those who point at it, and the numbers stand in a table
//! beside it for those who cannot see it.

use super::markup::escaped;
use std::fmt::Write;

/// The fewest bars that a chart has room for, so that a single day is no wall.
const FEWEST: usize = 14;

/// One bar: its day, what it says, and the heights of its parts from the bottom up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bar {
    /// The day.
    pub(super) day: String,
    /// What the bar says in words.
    pub(super) title: String,
    /// How high each part is.
    pub(super) parts: Vec<u64>,
}

/// A chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chart<'a> {
    /// What it shows.
    pub(super) caption: &'a str,
    /// What the whole height stands for, in words.
    pub(super) highest: String,
    /// The height of the highest bar there could be; `None` for the highest that there is.
    pub(super) full: Option<u64>,
    /// The names of the parts, from the bottom up; one part needs none.
    pub(super) legend: &'a [&'a str],
    /// The bars, the earliest first.
    pub(super) bars: Vec<Bar>,
}

impl Chart<'_> {
    /// Returns a figure.
    pub(super) fn to_html(&self) -> String {
        let mut html = format!("<figure>\n<figcaption>{}", escaped(self.caption));
        for (part, name) in self.legend.iter().enumerate() {
            // Writing to a String cannot fail.
            let _ =
                write!(html, " <span class=\"key\"><span class=\"swatch part{part}\"></span>{name}</span>");
        }
        let _ = write!(html, "</figcaption>\n<p class=\"highest\">{}</p>\n", escaped(&self.highest));
        html.push_str(&self.svg());
        let day = |bar: Option<&Bar>| bar.map(|bar| escaped(&bar.day)).unwrap_or_default();
        let (first, last) = (day(self.bars.first()), day(self.bars.last()));
        match self.bars.len() {
            0 | 1 => {
                let _ = write!(html, "<p class=\"axis\"><span>{last}</span></p>\n</figure>\n");
            }
            _ => {
                let _ = write!(
                    html,
                    "<p class=\"axis\"><span>{first}</span> <span>{last}</span></p>\n</figure>\n"
                );
            }
        }
        html
    }

    fn svg(&self) -> String {
        let slots = self.bars.len().max(FEWEST);
        let height = |bar: &Bar| bar.parts.iter().fold(0_u64, |sum, part| sum.saturating_add(*part));
        let full = self.full.or_else(|| self.bars.iter().map(height).max()).unwrap_or_default().max(1);
        let mut svg = format!(
            "<svg viewBox=\"0 0 {} 100\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{}\">\n",
            slots * 10,
            escaped(&format!("{}; the numbers of each day are below", self.caption)),
        );
        for (slot, bar) in self.bars.iter().enumerate() {
            let _ = write!(svg, "<g><title>{}</title>", escaped(&format!("{}: {}", bar.day, bar.title)));
            // The whole column can be pointed at, however low the bar is.
            let _ = write!(svg, "<path class=\"slot\" d=\"M{} 0h10v100h-10z\"/>", slot * 10);
            let mut top = 1000;
            for (part, value) in bar.parts.iter().enumerate().filter(|(_, value)| **value > 0) {
                // In tenths; what is there at all can be seen.
                let tall = u64::try_from(u128::from(*value) * 1000 / u128::from(full)).unwrap_or(1000);
                let tall = tall.max(15).min(top);
                top -= tall;
                let _ = write!(
                    svg,
                    "<path class=\"part{part}\" d=\"M{} {}.{}h8v{}.{}h-8z\"/>",
                    slot * 10 + 1,
                    top / 10,
                    top % 10,
                    tall / 10,
                    tall % 10
                );
            }
            svg.push_str("</g>\n");
        }
        svg.push_str("</svg>\n");
        svg
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stand_on_each_other_and_none_is_invisible() {
        let bar =
            |day: &str, parts: [u64; 2]| Bar { day: day.into(), title: "t<".into(), parts: parts.to_vec() };
        let chart = Chart {
            caption: "Runs",
            highest: "1000 runs".into(),
            full: None,
            legend: &["hits", "ran"],
            bars: vec![bar("a", [500, 500]), bar("b", [0, 0]), bar("c", [1, 0])],
        };
        let expected = "<figure>
<figcaption>Runs <span class=\"key\"><span class=\"swatch part0\"></span>hits</span> <span class=\"key\"><span class=\"swatch part1\"></span>ran</span></figcaption>
<p class=\"highest\">1000 runs</p>
<svg viewBox=\"0 0 140 100\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"Runs; the numbers of each day are below\">
<g><title>a: t&lt;</title><path class=\"slot\" d=\"M0 0h10v100h-10z\"/><path class=\"part0\" d=\"M1 50.0h8v50.0h-8z\"/><path class=\"part1\" d=\"M1 0.0h8v50.0h-8z\"/></g>
<g><title>b: t&lt;</title><path class=\"slot\" d=\"M10 0h10v100h-10z\"/></g>
<g><title>c: t&lt;</title><path class=\"slot\" d=\"M20 0h10v100h-10z\"/><path class=\"part0\" d=\"M21 98.5h8v1.5h-8z\"/></g>
</svg>
<p class=\"axis\"><span>a</span> <span>c</span></p>
</figure>
";
        assert_eq!(chart.to_html(), expected);
    }

    #[test]
    fn heights_never_leave_the_picture() {
        let bars = vec![Bar { day: "a".into(), title: String::new(), parts: vec![u64::MAX, u64::MAX] }];
        let chart = Chart { caption: "", highest: String::new(), full: Some(1), legend: &[], bars };
        assert!(chart.to_html().contains("<path class=\"part0\" d=\"M1 0.0h8v100.0h-8z\"/>"));
    }
}
