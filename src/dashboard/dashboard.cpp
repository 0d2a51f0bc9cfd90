#include <memory>
#include <utility>

#include <quarq/dashboard.hpp>
#include <quarq/detail/enqueue.hpp>

#include "dashboard/site.hpp"

namespace quarq {

void serve_dashboard(http::server& by, queue where, dashboard_options options) {
  while (options.prefix.ends_with('/')) options.prefix.pop_back();
  const auto prefix = options.prefix;
  const auto made = std::make_shared<dashboard::site>(detail::queue_access::impl(where), std::move(options));
  by.mount(prefix, [made](http::request& r) { return made->answer(r); });
}

}  // namespace quarq
