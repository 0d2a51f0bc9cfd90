#include <quarq/outcome.hpp>

#include "base/text.hpp"

namespace quarq::detail {

std::string message_of(const std::exception_ptr& thrown) {
  if (!thrown) return {};
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return base::describe_thrown_object().text;
  }
}

}  // namespace quarq::detail
