#include <utility>

#include <quarq/detail/model_codec.hpp>
#include <quarq/detail/model_engine.hpp>

namespace quarq::validation {

std::string name_of(const type& what) {
  switch (what.what) {
    case kind::object:
      return std::string(static_cast<const object_type&>(what).name);
    case kind::optional:
      return name_of(*static_cast<const optional_type&>(what).held);
    case kind::list:
    case kind::set:
      return name_of(*static_cast<const list_type&>(what).element);
    default:
      return {};
  }
}

void throw_if_any(const type& what, std::vector<model_error> errors) {
  if (!errors.empty()) throw validation_error(std::move(errors), name_of(what));
}

void argument_checker::add(const type& what, const void* value) {
  for (model_error& error : check(what, value)) {
    if (errors_.size() == validation_error::max_errors) break;
    path_step first = index_;
    if (index_ < names_.size()) first = std::string(names_[index_]);
    error.path.insert(error.path.begin(), std::move(first));
    errors_.push_back(std::move(error));
  }
  ++index_;
}

void argument_checker::finish() {
  if (!errors_.empty()) throw invalid_value(std::move(errors_), std::string(task_));
}

void encode_checked(const type& what, const void* value, encoder& out) {
  auto errors = check(what, value);
  if (!errors.empty()) throw invalid_value(std::move(errors), name_of(what));
  write_msgpack(what, value, out);
}

void decode_checked(const type& what, void* target, decoder& in) {
  auto errors = read_msgpack(what, target, in.raw(), false);
  if (errors.empty()) return;
  try {
    in.fail(validation_error(errors).what());
  } catch (const decode_error& e) {  // which names the place
    throw validation_error(std::string(e.what()), std::move(errors));
  }
}

}  // namespace quarq::validation
