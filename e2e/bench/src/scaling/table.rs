use std::io::Write;

use anyhow::Result;

use super::curve::Curves;

/// One line for each number of consumers of each broker.
pub(crate) fn table(curves: &Curves, table: &mut impl Write) -> Result<()> {
    let [consumers, rate] = ["consumers", "messages/s"];
    let [times, share] = ["times one", "of ideal"];
    writeln!(
        table,
        "\n{:<20} {consumers:>12} {rate:>12} {times:>12} {share:>12}",
        "scaling"
    )?;
    for (broker, steps) in curves.by_broker() {
        for step in steps {
            let (consumers, rate) = (step.consumers, step.per_s);
            let times = known(step.times, |times| format!("{times:.2}"));
            let share = known(step.of_ideal, |share| format!("{:.1} %", 100.0 * share));
            writeln!(
                table,
                "{broker:<20} {consumers:>12} {rate:>12.1} {times:>12} {share:>12}"
            )?;
        }
    }
    Ok(())
}

fn known(value: Option<f64>, text: impl Fn(f64) -> String) -> String {
    value.map_or_else(|| "?".to_owned(), text)
}

#[cfg(test)]
mod tests {
    use super::super::curve::steps;
    use super::*;

    fn lines(curves: &Curves) -> Result<Vec<String>> {
        let mut printed = Vec::new();
        table(curves, &mut printed)?;
        let printed = String::from_utf8(printed)?;
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(printed.lines().map(words).collect())
    }

    #[test]
    fn each_number_of_consumers_has_a_line() -> Result<()> {
        let curves = Curves {
            rabbitmq: steps(&[(1, 33.333), (4, 131.0)]),
            kafka: steps(&[(8, 390.0)]),
        };
        let expected = [
            "",
            "scaling consumers messages/s times one of ideal",
            "RabbitMQ 1 33.3 1.00 100.0 %",
            "RabbitMQ 4 131.0 3.93 98.3 %",
            "Kafka 8 390.0 ? ?",
        ];
        assert_eq!(lines(&curves)?, expected);
        assert_eq!(lines(&Curves::default())?.len(), 2);
        Ok(())
    }
}
