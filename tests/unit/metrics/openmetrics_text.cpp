#include "metrics/openmetrics_text.hpp"

#include <gtest/gtest.h>

#include "support/openmetrics.hpp"

namespace quarq::test::openmetrics_text_tests {
namespace {

using namespace std::chrono_literals;
using kind = metrics::openmetrics_text::kind;
using metrics::labels;

TEST(openmetrics_text, writes_what_a_strict_reader_takes) {
  metrics::openmetrics_text page;
  page.family("quarq_x", kind::counter, "How often\nit \"was\".");
  page.counter(labels{{"queue", "mail"}, {"task", "say \"hi\"\\\n"}}, std::uint64_t{7});
  page.family("quarq_y_seconds", kind::gauge, "A time.", "seconds");
  page.sample({}, 1.5);
  page.family("quarq_z", kind::info, "Facts.");
  page.info(labels{{"version", "1"}});
  page.end();
  const auto read = read_openmetrics(page.take());
  EXPECT_EQ(read.value("quarq_x_total", {{"queue", "mail"}, {"task", "say \"hi\"\\\n"}}), 7);
  EXPECT_EQ(read.value("quarq_y_seconds"), 1.5);
  EXPECT_EQ(read.value("quarq_z_info", {{"version", "1"}}), 1);
}

TEST(openmetrics_text, replaces_what_is_no_utf8) {
  metrics::openmetrics_text page;
  page.family("quarq_x", kind::gauge, "A number.");
  page.sample(labels{{"task", "a\xff"}}, std::uint64_t{1});
  page.end();
  EXPECT_EQ(read_openmetrics(page.take()).value("quarq_x", {{"task", "a\xef\xbf\xbd"}}), 1);
}

TEST(openmetrics_text, adds_up_buckets) {
  duration_histogram times;
  times.add(-1us);
  times.add(1ms);
  times.add(1001us);
  times.add(500s);
  times.add(501s);
  metrics::openmetrics_text page;
  page.family("quarq_t_seconds", kind::histogram, "Times.", "seconds");
  page.histogram(labels{{"queue", "q"}}, times);
  page.end();
  const auto read = read_openmetrics(page.take());
  const auto bucket = [&](const char* bound) {
    return read.value("quarq_t_seconds_bucket", {{"queue", "q"}, {"le", bound}});
  };
  EXPECT_EQ(bucket("0.001"), 2);
  EXPECT_EQ(bucket("0.005"), 3);
  EXPECT_EQ(bucket("50.0"), 3);
  EXPECT_EQ(bucket("500.0"), 4);
  EXPECT_EQ(bucket("+Inf"), 5);
  EXPECT_NEAR(*read.value("quarq_t_seconds_sum", {{"queue", "q"}}), 1001.002001, 1e-9);
}

// The reader that the other tests rely on.
TEST(openmetrics_reader, refuses_what_the_specification_does) {
  const std::string head = "# TYPE a counter\n# HELP a X.\n";
  const char* const bad[] = {
      "",
      "a_total 1\n# EOF\n",
      "# TYPE a counter\n# HELP a X.\na 1\n# EOF\n",
      "# TYPE a counter\n# HELP a X.\na_total -1\n# EOF\n",
      "# TYPE a counter\n# HELP a X.\na_total 1\n",
      "# TYPE a counter\n# HELP a X.\na_total 1\na_total 2\n# EOF\n",
      "# TYPE a counter\n# HELP a X.\na_total{x=\"1\",x=\"2\"} 1\n# EOF\n",
      "# TYPE a counter\n# HELP a X.\na_total{x=\"\\t\"} 1\n# EOF\n",
      "# TYPE a gauge\n# UNIT a seconds\n# HELP a X.\na 1\n# EOF\n",
      "# TYPE a gauge\n# HELP a X.\na one\n# EOF\n",
      "# TYPE a gauge\n# HELP a X.\na 1\n# TYPE b gauge\n# HELP b X.\nb 1\n# TYPE a gauge\n# EOF\n",
      "# TYPE a histogram\n# HELP a X.\na_bucket{le=\"1\"} 1\na_count 1\na_sum 1\n# EOF\n",
      "# TYPE a histogram\n# HELP a X.\na_bucket{le=\"1.0\"} 1\na_count 1\na_sum 1\n# EOF\n",
      "# TYPE a gauge\n# HELP a X.\na 1\n# EOF\na 1\n"};
  for (const auto* const text : bad) EXPECT_THROW(read_openmetrics(text), std::runtime_error) << text;
  EXPECT_NO_THROW(read_openmetrics(head + "a_total 1\n# EOF\n"));
}

}  // namespace
}  // namespace quarq::test::openmetrics_text_tests
