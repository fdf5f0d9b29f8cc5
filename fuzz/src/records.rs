//! Records of `UnionPay` ZM: 607 bytes, of which a fuzzer that inserts one byte spoils all. So an input with `|` in it is
//! taken for records in short form, a line each: the 42 fields with `|` between them, cut or filled up with blanks to
//! their widths, those that are missing blank. An input without `|` is read as it is.

/// Widths of the fields, from the format's description.
const WIDTHS: [usize; 42] = [
    3, 11, 11, 6, 10, 19, 12, 4, 2, 21, 2, 32, 2, 6, 10, 13, 13, 4, 15, 2, 2, 6, 2, 4, 32, 1, 21, 15, 1, 15, 32, 13,
    13, 8, 32, 13, 13, 12, 2, 1, 32, 98,
];

/// The records that `input` means.
pub fn laid_out(input: &[u8]) -> Vec<u8> {
    if !input.contains(&b'|') {
        return input.to_vec();
    }
    let mut records = Vec::with_capacity(2048);
    for line in input.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let mut fields = line.split(|byte| *byte == b'|');
        for (place, width) in WIDTHS.iter().enumerate() {
            let field = fields.next().unwrap_or_default();
            let field = &field[..field.len().min(*width)];
            records.extend_from_slice(field);
            records.resize(records.len() + width - field.len() + usize::from(place < 41), b' ');
        }
        records.extend_from_slice(b"\r\n");
    }
    records
}

#[cfg(test)]
mod tests {
    use super::*;
    use etcp_recon::bills::Profile;

    #[test]
    fn a_short_record_is_read_as_a_payment() {
        let short = b"101||||||000000001000|||202603170912340000001||PK1||||D000000000006||||01|";
        let records = laid_out(short);
        assert_eq!(records.len(), 609);
        let summary = crate::props::check(&records, &crate::source(Profile::UnionpayZm, "商户自定义域")).unwrap();
        assert_eq!((summary.payments, summary.sums.gross.fen, summary.sums.fee.units()), (1, 1000, 6000));
    }
}
