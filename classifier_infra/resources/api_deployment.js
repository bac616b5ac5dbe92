'use strict';

// The API's deployment has a new name each time, and YAML keys cannot contain variables.
module.exports = async ({ resolveVariable }) => {
  const name = `ApiGatewayDeployment${await resolveVariable('sls:instanceId')}`;
  return {
    extensions: {
      [name]: {
        // Deployed after these, so that they are part of the deployment.
        DependsOn: [
          'ApiGatewayAccount',
          'ThrottledResponse',
          'TooLargeResponse',
          'ClientErrorResponse',
          'ServerErrorResponse',
        ],
        Properties: { StageDescription: await resolveVariable('self:custom.apiStage') },
      },
    },
  };
};
