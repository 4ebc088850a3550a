//! The colours of the page, in light and in dark, and what has to be readable on what.
//!
//! They are written into the page as variables, so that the contrast that a test measures is the one
//! that is seen.

use std::fmt::Write as _;

use maud::{Markup, PreEscaped};

/// A colour: the variable that the style names it by, and its values.
struct Colour {
    name: &'static str,
    light: &'static str,
    dark: &'static str,
}

const fn colour(name: &'static str, light: &'static str, dark: &'static str) -> Colour {
    Colour { name, light, dark }
}

/// All of them. A standing has two: that of its sign, and that of the cell behind it.
const COLOURS: [Colour; 23] = [
    colour("page", "#ffffff", "#12161c"),
    colour("raised", "#f5f7f9", "#1b212a"),
    colour("text", "#1b2028", "#e8ecf1"),
    colour("mute", "#55606d", "#a3adb9"),
    colour("line", "#d5dbe1", "#343d49"),
    colour("edge", "#7c8794", "#76818e"),
    colour("link", "#0b57c2", "#79b0ff"),
    colour("passed", "#17682e", "#63cf80"),
    colour("passed-fill", "#dff3e4", "#153221"),
    colour("known", "#0a559e", "#7fb8f5"),
    colour("known-fill", "#dcebfa", "#15304b"),
    colour("skipped", "#55606d", "#a3adb9"),
    colour("skipped-fill", "#eceff2", "#252c36"),
    colour("unknown", "#6f4e00", "#e3b341"),
    colour("unknown-fill", "#fbedc4", "#3a2f10"),
    colour("news", "#6b33b8", "#c9a4ff"),
    colour("news-fill", "#eee3fb", "#33234d"),
    colour("failed", "#ab1620", "#ff938c"),
    colour("failed-fill", "#fcdedd", "#4a1b1e"),
    colour("deleted-fill", "#fce3e1", "#46201f"),
    colour("added-fill", "#dff1e3", "#17351f"),
    colour("on-sign", "#ffffff", "#12161c"),
    colour("bar", "#5f86b3", "#5c86b8"),
];

/// The colours as variables of the page's style.
pub fn style() -> Markup {
    let variables = |value: fn(&Colour) -> &'static str| {
        COLOURS.iter().fold(String::new(), |mut all, one| {
            // Writing into a string can't fail.
            let _ = write!(all, "--{}:{};", one.name, value(one));
            all
        })
    };
    let (light, dark) = (variables(|one| one.light), variables(|one| one.dark));
    PreEscaped(format!(
        ":root{{color-scheme:light dark;{light}}}\n\
         @media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG's relative luminance.
    fn luminance(colour: &str) -> f64 {
        let channel = |place: usize| {
            let byte = u8::from_str_radix(&colour[place..place + 2], 16).expect("two digits");
            let value = f64::from(byte) / 255.0;
            if value <= 0.040_45 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    /// WCAG's contrast of two colours, from 1 to 21.
    fn contrast(one: &str, other: &str) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    fn value(name: &str, of: fn(&Colour) -> &'static str) -> &'static str {
        let mut colours = COLOURS.iter();
        of(colours.find(|one| one.name == name).expect(name))
    }

    fn demand(least: f64, pairs: &[(&str, &str)]) {
        for of in [|one: &Colour| one.light, |one: &Colour| one.dark] {
            for (front, behind) in pairs {
                let seen = contrast(value(front, of), value(behind, of));
                assert!(seen >= least, "{front} on {behind}: {seen:.2}");
            }
        }
    }

    #[test]
    fn contrast_is_that_of_wcag() {
        assert!((contrast("#000000", "#ffffff") - 21.0).abs() < 1e-9);
        assert!((contrast("#777777", "#ffffff") - 4.478).abs() < 1e-3);
    }

    #[test]
    fn every_text_is_readable_on_what_is_behind_it_in_light_and_dark() {
        for behind in ["page", "raised"] {
            let texts = ["text", "mute", "link"];
            let signs = ["passed", "known", "skipped", "unknown", "news", "failed"];
            let all = texts.iter().chain(&signs);
            let pairs: Vec<_> = all.map(|front| (*front, behind)).collect();
            demand(4.5, &pairs);
        }
        for standing in ["passed", "known", "skipped", "unknown", "news", "failed"] {
            let fill = format!("{standing}-fill");
            let on_sign = ("on-sign", standing);
            demand(4.5, &[(standing, &fill), ("text", &fill), on_sign]);
        }
        demand(4.5, &[("text", "deleted-fill"), ("text", "added-fill")]);
    }

    #[test]
    fn edges_of_controls_and_bars_are_told_from_what_is_behind_them() {
        demand(
            3.0,
            &[("edge", "page"), ("edge", "raised"), ("bar", "raised")],
        );
    }
}
