#!/usr/bin/env bash
export OS_AUTH_URL=https://india.example.org:5000/v3
export OS_PROJECT_NAME="fg82"
export OS_USERNAME="gregor"
echo "Please enter your OpenStack Password: "
read -sr OS_PASSWORD_INPUT
export OS_PASSWORD=$OS_PASSWORD_INPUT
