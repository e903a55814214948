use proptest::prelude::*;

use super::super::Format;
use super::super::tests::{mask, mask_with, masked_text, try_pieces};
use crate::policy::Style;

const HTML: Format = Format::Html;
const XML: Format = Format::Xml;

#[test]
fn texts_values_and_names_are_masked() {
    let mask = mask();
    for (said, seen) in [
        ("<p>Mail alice@example.com</p>", "<p>Mail [EMAIL]</p>"),
        ("alice@example.com", "[EMAIL]"),
        (
            "<a href=\"mailto:alice@example.com\" id=x>x</a>",
            "<a href=\"mailto:[EMAIL]\" id=x>x</a>",
        ),
        (
            "<a href='mailto:alice@example.com'>x</a>",
            "<a href='mailto:[EMAIL]'>x</a>",
        ),
        ("<a href=alice@example.com>x</a>", "<a href=[EMAIL]>x</a>"),
        (
            "<a href = alice@example.com title = 'x'/>",
            "<a href = [EMAIL] title = 'x'/>",
        ),
        ("<!-- alice@example.com --><b>", "<!-- [EMAIL] --><b>"),
        (
            "<!doctype html \"alice@example.com\">x",
            "<!doctype html \"[EMAIL]\">x",
        ),
        (
            "<?xml version='1.0'?>alice@example.com",
            "<?xml version='1.0'?>[EMAIL]",
        ),
        (
            "<![CDATA[a > b, alice@example.com]]>x",
            "<![CDATA[a > b, [EMAIL]]]>x",
        ),
        ("a < b alice@example.com > c", "a < b [EMAIL] > c"),
        ("5 <6 alice@example.com <", "5 <6 [EMAIL] <"),
        (
            "<script>a<b; m='alice@example.com'</script><i>",
            "<script>a<b; m='[EMAIL]'</script><i>",
        ),
        (
            "<SCRIPT>\"</scrip\" alice@example.com</Script >x",
            "<SCRIPT>\"</scrip\" [EMAIL]</Script >x",
        ),
        (
            "Alice <alice@example.com>, <x alice@example.com=y>",
            "Alice <[EMAIL]>, <x [EMAIL]=y>",
        ),
        ("<b>4111</b><b>1111</b>", "<b>4111</b><b>1111</b>"),
    ] {
        assert_eq!(masked_text(&mask, HTML, said), seen);
    }
    assert_eq!(
        masked_text(&mask, XML, "<script>alice&#64;example.com</script>"),
        "<script>[EMAIL]</script>"
    );
}

#[test]
fn references_are_read_and_kept() {
    let mask = mask();
    for (said, seen) in [
        ("<p>alice&#64;example.com</p>", "<p>[EMAIL]</p>"),
        (
            "<p>alice&#x40;example&period;com &lt;b&gt;</p>",
            "<p>[EMAIL] &lt;b&gt;</p>",
        ),
        ("alice&commat;example.com &amp; co", "[EMAIL] &amp; co"),
        ("&#97;lice&#00064;example.co&#109;", "[EMAIL]"),
        (
            "<a title=\"a&#64b.io\" b=a&#64;b.io>",
            "<a title=\"[EMAIL]\" b=[EMAIL]>",
        ),
        (
            "&nosuch; &; &#; &#xZ; &#999999999; & alice@example.com &am",
            "&nosuch; &; &#; &#xZ; &#999999999; & [EMAIL] &am",
        ),
        ("alice@example.com&lt;", "[EMAIL]&lt;"),
    ] {
        assert_eq!(masked_text(&mask, HTML, said), seen);
    }
}

#[test]
fn a_replacement_stays_what_it_replaces() {
    let mask = mask_with(&[("<b> \"q\" 'r' & --]]>", "SECRET")], Style::Label);
    for (said, seen) in [
        (
            "<p>SECRET</p>",
            "<p>[&lt;b&gt; &quot;q&quot; &#39;r&#39; &amp; --]]&gt;]</p>",
        ),
        (
            "<p a=\"SECRET\">",
            "<p a=\"[&lt;b&gt; &quot;q&quot; &#39;r&#39; &amp; --]]&gt;]\">",
        ),
        (
            "<p a=SECRET>",
            "<p a=[&lt;b&gt;&#32;&quot;q&quot;&#32;&#39;r&#39;&#32;&amp;&#32;--]]&gt;]>",
        ),
        ("<!--SECRET-->", "<!--[_b_ _q_ _r_ _ --]]_]-->"),
        (
            "<script>SECRET</script>",
            "<script>[_b_ _q_ _r_ _ --]]_]</script>",
        ),
    ] {
        assert_eq!(masked_text(&mask, HTML, said), seen);
    }
}

proptest! {
    #[test]
    fn every_split_of_any_markup_is_the_same(
        parts in prop::collection::vec(prop_oneof![
            Just("alice@example.com"), Just("&#64;"), Just("<a "), Just("href=\""), Just("\""), Just("<!--"),
            Just("-->"), Just("<script>"), Just("</script>"), Just(">"), Just("<"), Just("&"), Just("x.io"),
            Just("<![CDATA["), Just("]]>"), Just("="), Just(" "), Just("'"), Just("jane"), Just("</"), Just("<?"),
        ], 0..14),
        cuts in prop::collection::vec(any::<usize>(), 0..6),
        xml in any::<bool>(),
    ) {
        let mask = mask();
        let body = parts.concat();
        let format = if xml { XML } else { HTML };
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (body.len() + 1)).collect();
        cuts.sort_unstable();
        let whole = try_pieces(&mask, format, body.as_bytes(), &[]).unwrap();
        prop_assert_eq!(&try_pieces(&mask, format, body.as_bytes(), &cuts).unwrap(), &whole);
        prop_assert!(!String::from_utf8_lossy(&whole).contains("alice@example.com"));
        if !body.contains('@') && !body.contains("&#64;") {
            prop_assert_eq!(whole, body.into_bytes());
        }
    }
}
