// Which texts have which format.
#include "validation/formats.hpp"

#include <gtest/gtest.h>

namespace quarq::validation_tests {
namespace formats_of_text {

using enum text_format;

struct row {
  text_format format;
  std::string_view text;
  bool holds;
};

TEST(model_formats, are_told_from_what_is_like_them) {
  const std::string label(63, 'a');
  const std::string long_label = label + "a";
  const std::string long_host = label + "." + label + "." + label + "." + label;
  const row rows[] = {
      {email, "ann@example.org", true},
      {email, "ann.b+c@mail.example.org", true},
      {email, "o'hara@example.ie", true},
      {email, "ann@localhost", false},
      {email, "@example.org", false},
      {email, "ann@", false},
      {email, ".ann@example.org", false},
      {email, "a..b@example.org", false},
      {email, "a b@example.org", false},
      {email, "ann@-example.org", false},
      {email, "ann@example.org\n", false},
      {url, "http://example.org", true},
      {url, "https://user:pw@example.org:8443/a?b=c#d", true},
      {url, "http://[::1]/", true},
      {url, "redis://localhost/0", true},
      {url, "example.org", false},
      {url, "http://", false},
      {url, "http:///path", false},
      {url, "http://:80", false},
      {url, "1http://a", false},
      {url, "http://a b", false},
      {url, "http://a\n", false},
      {uuid, "123e4567-e89b-12d3-a456-426614174000", true},
      {uuid, "123E4567-E89B-12D3-A456-426614174000", true},
      {uuid, "123e4567e89b12d3a456426614174000", false},
      {uuid, "123e4567-e89b-12d3-a456-42661417400g", false},
      {uuid, "{123e4567-e89b-12d3-a456-426614174000}", false},
      {date, "2024-02-29", true},
      {date, "2023-02-29", false},
      {date, "1900-02-29", false},
      {date, "2000-02-29", true},
      {date, "2026-13-01", false},
      {date, "2026-00-01", false},
      {date, "2026-1-01", false},
      {date, "2026-01-32", false},
      {time, "12:00:00Z", true},
      {time, "23:59:59.123456789+23:59", true},
      {time, "12:00:00", false},
      {time, "24:00:00Z", false},
      {time, "12:60:00Z", false},
      {time, "12:00:00.Z", false},
      {date_time, "2026-11-29T12:00:00Z", true},
      {date_time, "2026-11-29t12:00:00.5z", true},
      {date_time, "2026-11-29 12:00:00-05:00", true},
      {date_time, "2026-11-29", false},
      {date_time, "2026-11-29T12:00Z", false},
      {ipv4, "1.2.3.4", true},
      {ipv4, "255.255.255.255", true},
      {ipv4, "256.1.1.1", false},
      {ipv4, "01.2.3.4", false},
      {ipv4, "1.2.3", false},
      {ipv4, "1.2.3.4.5", false},
      {ipv4, "1.2.3.", false},
      {ipv6, "::", true},
      {ipv6, "::1", true},
      {ipv6, "2001:db8::ff00:42:8329", true},
      {ipv6, "1:2:3:4:5:6:7:8", true},
      {ipv6, "::ffff:1.2.3.4", true},
      {ipv6, "1:2:3:4:5:6:1.2.3.4", true},
      {ipv6, "1:2:3:4:5:6:7:8:9", false},
      {ipv6, "1:2:3:4:5:6:7::8", false},
      {ipv6, "1::2::3", false},
      {ipv6, ":1", false},
      {ipv6, "12345::", false},
      {ipv6, "::1.2.3.4:1", false},
      {hostname, "example.org", true},
      {hostname, "a", true},
      {hostname, label, true},
      {hostname, long_label, false},
      {hostname, long_host, false},
      {hostname, "-a.org", false},
      {hostname, "a-.org", false},
      {hostname, "a..org", false},
      {hostname, "a_b", false},
      {hostname, "", false},
  };
  for (const row& r : rows) EXPECT_EQ(validation::has_format(r.format, r.text), r.holds) << r.text;
}

}  // namespace formats_of_text
}  // namespace quarq::validation_tests
