// The fields of a cron schedule, parsed: text in, sets of numbers out.
#pragma once

#include <bitset>
#include <string>
#include <string_view>

namespace quarq::cron {

/// Bit n: the number n is in the set. Months and days count from 1; weekdays from Monday, 0.
struct cron_sets {
  std::bitset<60> second, minute;
  std::bitset<24> hour;
  std::bitset<32> day;
  std::bitset<13> month;
  std::bitset<7> weekday;
  /// Day and weekday are both restricted, and one of them is enough (crontab's rule).
  bool either_day = false;

  friend bool operator==(const cron_sets&, const cron_sets&) = default;
};

enum class cron_part { second, minute, hour, day, month, weekday };

/// A field of the options: its numbers of weekdays count from Monday, 0. Throws usage_error naming the
/// field and the column in `text`.
void parse_cron_field(cron_part which, std::string_view text, cron_sets& into);

/// A whole crontab string (see quarq::cron_schedule). Throws usage_error naming the field and the
/// column.
cron_sets parse_crontab(std::string_view text);

}  // namespace quarq::cron
