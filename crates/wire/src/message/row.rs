//! DataRow: the columns of one row, in text.

use super::{MessageError, cursor::Cursor};

/// A row's columns, borrowed from its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataRow<'a> {
    columns: Vec<Option<&'a [u8]>>,
}

impl<'a> DataRow<'a> {
    pub fn read(payload: &'a [u8]) -> Result<Self, MessageError> {
        let mut cursor = Cursor::new("DataRow", payload);
        let count = cursor.u16("column count")?;
        let mut columns = Vec::new();
        for _ in 0..count {
            columns.push(match cursor.i32("column length")? {
                -1 => None,
                length => {
                    let size = usize::try_from(length)
                        .map_err(|_| cursor.impossible("column length", length))?;
                    Some(cursor.bytes("column", size)?)
                }
            });
        }
        Ok(Self { columns })
    }

    pub fn len(&self) -> usize {
        self.columns.len()
    }

    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// The bytes of a column; `None` for NULL and for a column that is not there.
    pub fn bytes(&self, column: usize) -> Option<&'a [u8]> {
        self.columns.get(column).copied().flatten()
    }

    /// A column as text; an error when it is not UTF-8.
    pub fn text(&self, column: usize) -> Result<Option<&'a str>, MessageError> {
        self.bytes(column)
            .map(std::str::from_utf8)
            .transpose()
            .map_err(|_| MessageError::NotUtf8 {
                message: "DataRow",
                field: "column",
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_text_null_or_missing() {
        let row = DataRow::read(b"\0\x03\0\0\0\x02ab\xff\xff\xff\xff\0\0\0\x01\xff").unwrap();
        assert_eq!(row.text(0), Ok(Some("ab")));
        assert_eq!((row.text(1), row.text(9)), (Ok(None), Ok(None)));
        assert!(row.text(2).is_err());
        assert_eq!(row.bytes(2), Some(&b"\xff"[..]));
    }

    #[test]
    fn lying_counts_and_lengths_are_errors() {
        assert!(DataRow::read(b"\xff\xff").is_err());
        assert!(DataRow::read(b"\0\x01\x7f\xff\xff\xffab").is_err());
        assert!(DataRow::read(b"\0\x01\x80\0\0\0").is_err());
    }
}
