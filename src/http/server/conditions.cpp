#include "http/server/conditions.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/text.hpp"
#include "http/message/characters.hpp"
#include "http/server/reply.hpp"

namespace quarq::http {

namespace {

constexpr std::size_t max_ranges = 8;

std::string_view opaque(std::string_view etag) {
  return etag.starts_with("W/") ? etag.substr(2) : etag;
}

bool is_entity_tag(std::string_view text) {
  text = opaque(text);
  return text.size() >= 2 && text.front() == '"' && text.back() == '"';
}

// Takes one entity tag off a list; commas may stand within its quotes.
std::string_view take_entity_tag(std::string_view& list) {
  list = base::trimmed(list);
  const auto open = list.find('"');
  const auto close = open == list.npos ? list.npos : list.find('"', open + 1);
  const auto comma = close == list.npos ? list.find(',') : list.find(',', close);
  const auto tag = base::trimmed(list.substr(0, comma));
  list.remove_prefix(comma == list.npos ? list.size() : comma + 1);
  return tag;
}

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

struct range_set {
  bool is_valid = true;
  std::size_t count = 0;
  std::vector<byte_range> satisfiable;
};

// "0-99", "100-", "-50". False: it is no range.
bool add_range(range_set& set, std::string_view text, std::uint64_t size) {
  const auto dash = text.find('-');
  if (dash == text.npos) return false;
  const auto first = whole_number(text.substr(0, dash));
  const auto last = whole_number(text.substr(dash + 1));
  if (dash == 0) {
    if (!last) return false;
    const auto suffix = std::min(*last, size);
    if (suffix > 0) set.satisfiable.push_back({size - suffix, suffix});
    return true;
  }
  const bool is_open = dash + 1 == text.size();
  if (!first || (!is_open && !last) || (last && *last < *first)) return false;
  if (*first >= size) return true;
  const auto end = is_open ? size : std::min(*last, size - 1) + 1;
  set.satisfiable.push_back({*first, end - *first});
  return true;
}

range_set read_ranges(std::string_view text, std::uint64_t size) {
  range_set set;
  constexpr std::string_view unit = "bytes=";
  set.is_valid = text.size() > unit.size() && equal_names(text.substr(0, unit.size()), unit);
  text.remove_prefix(std::min(unit.size(), text.size()));
  while (set.is_valid && !text.empty() && set.count <= max_ranges) {
    ++set.count;
    set.is_valid = add_range(set, take_element(text), size);
  }
  return set;
}

bool overlap(std::vector<byte_range> ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i].first < ranges[i - 1].first + ranges[i - 1].size) return true;
  }
  return false;
}

bool range_holds(const fields& headers, const representation& what) {
  const auto condition = headers.find("If-Range");
  if (!condition) return true;
  if (is_entity_tag(*condition)) return etag_is_listed(*condition, what.etag, true);
  return parse_http_date(*condition) == what.modified;
}

std::optional<int> failed_condition(const fields& headers, const representation& what) {
  if (const auto match = headers.find("If-Match")) {
    if (!etag_is_listed(*match, what.etag, true)) return 412;
  } else if (const auto since = headers.find("If-Unmodified-Since")) {
    const auto time = parse_http_date(*since);
    if (time && what.modified > *time) return 412;
  }
  if (const auto none = headers.find("If-None-Match")) {
    if (etag_is_listed(*none, what.etag)) return 304;
  } else if (const auto since = headers.find("If-Modified-Since")) {
    const auto time = parse_http_date(*since);
    if (time && what.modified <= *time) return 304;
  }
  return std::nullopt;
}

}  // namespace

bool etag_is_listed(std::string_view list, std::string_view etag, bool strongly) {
  if (base::trimmed(list) == "*") return true;
  while (!list.empty()) {
    const auto tag = take_entity_tag(list);
    if (!is_entity_tag(tag)) continue;
    if (strongly ? tag == etag && !tag.starts_with("W/") : opaque(tag) == opaque(etag)) return true;
  }
  return false;
}

selection select(std::string_view method, const fields& headers, const representation& what) {
  const byte_range all{0, what.size};
  if (const auto status = failed_condition(headers, what)) return {*status, all};
  const auto asked = headers.find("Range");
  if (!asked || method != "GET" || !range_holds(headers, what)) return {200, all};
  const auto set = read_ranges(*asked, what.size);
  if (set.count > max_ranges || (set.is_valid && overlap(set.satisfiable))) return {416, all};
  if (!set.is_valid || set.satisfiable.size() > 1) return {200, all};
  if (set.satisfiable.empty()) return {416, all};
  return {206, set.satisfiable.front()};
}

}  // namespace quarq::http
