'use strict';

// The deployment of the API has another name each time, and a key of YAML cannot hold a variable.
module.exports = async ({ resolveVariable }) => {
  const name = `ApiGatewayDeployment${await resolveVariable('sls:instanceId')}`;
  return {
    extensions: {
      [name]: {
        // So that the API that is deployed has them.
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
