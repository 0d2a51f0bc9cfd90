// Whether a job will be run by anybody, as far as workers have said what they handle.
#pragma once

#include <string>
#include <string_view>

#include "broker/broker.hpp"

namespace quarq::clients {

enum class service {
  likely,        ///< some worker handles the task, or may
  no_worker,     ///< no live worker serves the queue
  unknown_task,  ///< live workers do, and none of them handles the task
  paused,        ///< whatever workers there are, they get none of the queue's jobs
};

/// `task`: empty if it is not known, which every worker may handle.
service service_of(const broker::live_workers& those, std::string_view task);

/// Of a job in the queue, as a part of a sentence: "no live worker serves queue mail". REQUIRES: not likely.
std::string in_words(service found, std::string_view queue, std::string_view task);

/// The task of a job's record; empty if that can't be read.
std::string task_of(std::string_view record);

}  // namespace quarq::clients
