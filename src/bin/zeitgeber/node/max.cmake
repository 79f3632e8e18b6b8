# An external for Max/MSP, built with the Max SDK: README.md says how.
cmake_minimum_required(VERSION 3.19)

set(MAX_SDK_BASE "" CACHE PATH "The folder max-sdk-base of the Max SDK")
if(NOT EXISTS "${MAX_SDK_BASE}/script/max-pretarget.cmake")
    message(FATAL_ERROR "Say where the Max SDK is: cmake -DMAX_SDK_BASE=/path/to/max-sdk/source/max-sdk-base ...")
endif()

project(NAME_tilde CXX C)
include("${MAX_SDK_BASE}/script/max-pretarget.cmake")

add_library(NAME_tilde MODULE "NAME~.cpp")
target_include_directories(NAME_tilde PRIVATE ${MAX_SDK_INCLUDES} ${MAX_SDK_MSP_INCLUDES})
target_compile_definitions(NAME_tilde PRIVATE FAUSTFLOAT=double)
target_compile_features(NAME_tilde PRIVATE cxx_std_11)
set_target_properties(NAME_tilde PROPERTIES PREFIX "" OUTPUT_NAME "NAME~")

include("${MAX_SDK_BASE}/script/max-posttarget.cmake")
