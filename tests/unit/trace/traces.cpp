// Contexts of spans as text, and which traces are recorded.
#include <map>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include <quarq/errors.hpp>

#include "base/ids.hpp"
#include "model/trace_context.hpp"
#include "trace/sampling.hpp"
#include "trace/traceparent.hpp"
#include "trace/tracer.hpp"

namespace quarq::test::traces_tests {
namespace {

constexpr const char* example = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(traceparent, is_read_as_it_was_written) {
  const auto read = trace::parse_traceparent(example);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->trace_id[0], 0x0a);
  EXPECT_EQ(read->trace_id[15], 0x9c);
  EXPECT_EQ(read->span_id[0], 0xb7);
  EXPECT_TRUE(read->sampled);
  EXPECT_EQ(trace::to_traceparent(*read), example);
  const auto unsampled = trace::parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-02");
  ASSERT_TRUE(unsampled);
  EXPECT_FALSE(unsampled->sampled);
}

TEST(traceparent, of_another_form_or_of_no_trace_counts_for_nothing) {
  for (const auto* const wrong : {"", "00", "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                  "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                  "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                                  "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                                  "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 "}) {
    EXPECT_FALSE(trace::parse_traceparent(wrong)) << wrong;
  }
}

TEST(traceparent, of_labels_has_their_state_and_may_be_none) {
  EXPECT_FALSE(trace::context_of(nullptr));
  const auto labels = std::make_shared<detail::labels>();
  labels->headers["tracestate"] = "vendor=1";
  EXPECT_FALSE(trace::context_of(labels));
  labels->headers["traceparent"] = "no trace";
  EXPECT_FALSE(trace::context_of(labels));
  labels->headers["traceparent"] = example;
  const auto found = trace::context_of(labels);
  ASSERT_TRUE(found);
  EXPECT_EQ(trace::to_traceparent(*found), example);
  EXPECT_EQ(found->trace_state, "vendor=1");
  labels->headers.erase("tracestate");
  EXPECT_EQ(trace::context_of(labels).value().trace_state, "");
}

TEST(traceparent, has_hexadecimal_digits_where_they_belong) {
  for (std::size_t i = 0; i < std::string_view(example).size(); ++i) {
    std::string wrong = example;
    wrong[i] = 'g';
    EXPECT_FALSE(model::parse_traceparent(wrong).is_set()) << wrong;
  }
}

TEST(traceparent, keeps_flags_that_mean_nothing_here) {
  const std::string others = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-a2";
  EXPECT_EQ(model::to_text(model::parse_traceparent(others)), others);
  EXPECT_EQ(model::to_text({}), "");
}

TEST(sampling, a_share_is_that_of_the_ids_last_56_bits) {
  constexpr std::uint64_t half = std::uint64_t{1} << 55;
  EXPECT_TRUE(trace::is_in_share(half, 0.5));
  EXPECT_FALSE(trace::is_in_share(half - 1, 0.5));
  EXPECT_TRUE(trace::is_in_share(0xff00000000000000 | half, 0.5)) << "the first byte does not count";
  EXPECT_FALSE(trace::is_in_share(0xff00000000000000, 0.5));
  EXPECT_TRUE(trace::is_in_share(0, 1));
  EXPECT_FALSE(trace::is_in_share(~std::uint64_t{0}, 0));
}

TEST(sampling, ids_of_jobs_are_chosen_as_often_as_the_ratio_says) {
  constexpr int all = 20'000;
  int chosen = 0;
  for (int i = 0; i < all; ++i) chosen += trace::is_in_share(trace::number_of(base::make_id()), 0.1) ? 1 : 0;
  // Six standard deviations of a fair choice.
  EXPECT_NEAR(chosen, all / 10, 260);
}

trace::tracer tracer_with(double ratio, bool follow_parent) {
  trace_options options;
  options.sampling = {ratio, follow_parent};
  return trace::tracer(std::move(options));
}

TEST(sampling, the_parent_decides_where_there_is_one) {
  span_context sampled, unsampled;
  sampled.sampled = true;
  const auto none = tracer_with(0, true), all = tracer_with(1, true), alone = tracer_with(0, false);
  EXPECT_TRUE(none.samples("id", &sampled));
  EXPECT_FALSE(none.samples("id", nullptr));
  EXPECT_FALSE(all.samples("id", &unsampled));
  EXPECT_TRUE(all.samples("id", nullptr));
  EXPECT_FALSE(alone.samples("id", &sampled));
}

TEST(sampling, a_job_is_chosen_by_its_id_wherever_that_is_asked) {
  const auto here = tracer_with(0.5, true), elsewhere = tracer_with(0.5, true);
  int chosen = 0;
  for (int i = 0; i < 100; ++i) {
    const auto id = base::make_id();
    EXPECT_EQ(here.samples(id, nullptr), elsewhere.samples(id, nullptr));
    chosen += here.samples(id, nullptr) ? 1 : 0;
    const auto begun = here.begin_trace(id);
    const auto again = here.begin_trace(id);
    EXPECT_NE(begun.context.trace_id, again.context.trace_id);
    EXPECT_NE(begun.context.span_id, again.context.span_id);
  }
  EXPECT_GT(chosen, 10);
  EXPECT_LT(chosen, 90);
}

struct sampler_case {
  const char* sampler;
  const char* argument;
  double ratio;
  bool follow_parent;
  int warnings = 0;
};

TEST(sampling, is_read_from_the_environment) {
  const sampler_case cases[] = {
      {nullptr, nullptr, 1, true},
      {"", "0.5", 1, true},
      {"always_on", nullptr, 1, false},
      {"always_off", nullptr, 0, false},
      {"traceidratio", "0.25", 0.25, false},
      {"traceidratio", nullptr, 1, false},
      {"parentbased_always_on", "0.5", 1, true},
      {"parentbased_always_off", nullptr, 0, true},
      {"parentbased_traceidratio", "1e-3", 0.001, true},
      {"parentbased_traceidratio", "1.5", 1, true, 1},
      {"parentbased_traceidratio", "-0.1", 1, true, 1},
      {"parentbased_traceidratio", "nan", 1, true, 1},
      {"parentbased_traceidratio", "half", 1, true, 1},
      {"jaeger_remote", "x", 1, true, 1},
  };
  for (const auto& one : cases) {
    int warnings = 0;
    const auto read = trace::sampling_from(
        [&](const char* name) {
          return std::string_view(name) == "OTEL_TRACES_SAMPLER" ? one.sampler : one.argument;
        },
        [&](const std::string&) { ++warnings; });
    const std::string which = one.sampler == nullptr ? "none" : one.sampler;
    EXPECT_EQ(read.ratio, one.ratio) << which;
    EXPECT_EQ(read.follow_parent, one.follow_parent) << which;
    EXPECT_EQ(warnings, one.warnings) << which;
  }
}

class kept_spans final : public span_exporter {
 public:
  void add(const finished_span&) noexcept override {}
  void flush(std::chrono::milliseconds) noexcept override { ++flushes; }
  int flushes = 0;
};

TEST(tracing, is_on_while_it_lives_and_flushes_at_its_end) {
  const auto exporter = std::make_shared<kept_spans>();
  EXPECT_EQ(trace::current(), nullptr);
  {
    const tracing traces({.exporter = exporter});
    EXPECT_NE(trace::current(), nullptr);
    EXPECT_THROW(tracing({.exporter = exporter}), usage_error) << "there is one already";
    EXPECT_NE(trace::current(), nullptr);
    EXPECT_EQ(exporter->flushes, 0);
  }
  EXPECT_EQ(trace::current(), nullptr);
  EXPECT_EQ(exporter->flushes, 1);
}

TEST(tracing, refuses_what_it_can_not_use) {
  const auto exporter = std::make_shared<kept_spans>();
  EXPECT_THROW(tracing({}), usage_error);
  EXPECT_THROW(tracing({.exporter = exporter, .sampling = {1.01, true}}), usage_error);
  EXPECT_THROW(tracing({.exporter = exporter, .sampling = {-1, true}}), usage_error);
  EXPECT_FALSE(trace::is_on());
}

}  // namespace
}  // namespace quarq::test::traces_tests
