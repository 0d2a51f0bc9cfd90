// The side of a quarq::context that handlers don't see: for what runs them.
#pragma once

#include <string_view>

#include <quarq/context.hpp>

namespace quarq::model {

struct context_access {
  static void request_stop(context& ctx) noexcept { ctx.stop_.request_stop(); }
  /// `encoded`: a msgpack array, which must live as long as the context.
  static void set_arguments(context& ctx, std::string_view encoded) noexcept { ctx.arguments_ = encoded; }
};

}  // namespace quarq::model
