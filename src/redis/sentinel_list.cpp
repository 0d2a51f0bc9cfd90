#include "redis/sentinel_list.hpp"

#include <charconv>
#include <utility>

#include "redis/handshake.hpp"

namespace quarq::redis {

namespace {

bool is_port(const std::string& text) {
  int n = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
  return ec == std::errc{} && end == text.data() + text.size() && n > 0 && n < 65536;
}

bool is_address(const reply& r) {
  return r.type == reply::kind::array && r.items.size() == 2 && !r.items[0].text.empty() &&
         is_port(r.items[1].text);
}

}  // namespace

sentinel_list::sentinel_list(const sentinel_options& options)
    : sentinels_(options.hosts.begin(), options.hosts.end()), name_(options.master) {}

void sentinel_list::begin() {
  left_ = sentinels_.size();
  found_ = false;
  all_permanent_ = true;
  errors_.clear();
}

const endpoint* sentinel_list::next() const {
  return left_ > 0 && !found_ ? &sentinels_.front() : nullptr;
}

bool sentinel_list::take(const reply& answer) {
  if (is_address(answer)) {
    found_ = true;
    master_ = {answer.items[0].text, answer.items[1].text};
  } else if (answer.is_nil()) {
    give_up_next(" does not know a master named \"" + name_ + "\"", true);
  } else if (answer.is_error()) {
    failed("SENTINEL was refused: " + refusal(answer.text, refused_by::sentinel),
           classify_error(answer.text) != error_class::not_ready);
  } else {
    failed("its answer is no address", true);
  }
  return found_;
}

void sentinel_list::failed(const std::string& why, bool is_permanent) {
  give_up_next(": " + why, is_permanent);
}

void sentinel_list::give_up_next(const std::string& what, bool is_permanent) {
  errors_ += (errors_.empty() ? "the sentinel at " : "; the sentinel at ") +
             host_and_port(sentinels_.front()) + what;
  if (!is_permanent) all_permanent_ = false;
  --left_;
  move_first_to_end();
}

void sentinel_list::distrust() {
  if (std::exchange(found_, false)) move_first_to_end();
}

void sentinel_list::move_first_to_end() {
  sentinels_.push_back(std::move(sentinels_.front()));
  sentinels_.pop_front();
}

}  // namespace quarq::redis
