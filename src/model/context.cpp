#include <algorithm>

#include <quarq/context.hpp>
#include <quarq/detail/notes_sink.hpp>

#include "base/text.hpp"
#include "codecs/json.hpp"
#include "model/trace_context.hpp"

namespace quarq {

std::string context::arguments_json(std::size_t limit) const {
  return arguments_.empty() ? std::string() : codecs::to_json(arguments_, limit);
}

std::string_view context::encoded_arguments(std::string_view task) const {
  if (facts_.task == task && !arguments_.empty()) return arguments_;
  throw usage_error(
      "context::arguments: asked for those of " + std::string(task) +
      (facts_.task.empty() ? ", but there is no job here" : ", but the job is one of " + facts_.task));
}

const detail::labels& context::labels() const noexcept {
  static const detail::labels none;
  return facts_.its_labels ? *facts_.its_labels : none;
}

std::string context::traceparent() const {
  return model::to_text(facts_.trace);
}

void context::log(std::string_view text) const {
  if (notes_ != nullptr) notes_->log(*this, text);
}

void context::progress(std::uint64_t done, std::uint64_t total) const {
  if (notes_ != nullptr) notes_->progress(*this, done, total);
}

}  // namespace quarq

namespace quarq::detail {

void state_map::put(std::type_index type, std::shared_ptr<void> object) {
  const auto here =
      std::find_if(objects_.begin(), objects_.end(), [&](const auto& o) { return o.first == type; });
  if (here != objects_.end()) {
    here->second = std::move(object);
  } else {
    objects_.emplace_back(type, std::move(object));
  }
}

void* state_map::find(std::type_index type) const noexcept {
  for (const auto& [t, object] : objects_) {
    if (t == type) return object.get();
  }
  return nullptr;
}

void throw_no_state(const std::type_info& type) {
  throw error("context::state: there is no " + base::type_name(type) +
              ": make it with emplace in on_startup or before_job");
}

}  // namespace quarq::detail
