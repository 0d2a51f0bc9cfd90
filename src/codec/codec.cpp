#include <quarq/codec.hpp>
#include <quarq/errors.hpp>

namespace quarq::detail {

void begin_arguments(decoder& in, std::size_t expected) {
  const std::size_t found = in.array();
  if (found != expected)
    in.fail("expected " + std::to_string(expected) +
            (expected == 1 ? " argument, got " : " arguments, got ") + std::to_string(found));
}

void fail_time_range() {
  throw invalid_argument("a duration or time is too far from zero: 2^63 nanoseconds, 292 years, is the most");
}

void fail_unnamed_enumerator(std::int64_t value) {
  throw invalid_argument("an enum holds " + std::to_string(value) +
                         ", which none of its described enumerators is");
}

void fail_enumerator(decoder& in, const std::string& names, const std::string& got) {
  in.fail("expected one of " + names + ", got " + got);
}

}  // namespace quarq::detail
